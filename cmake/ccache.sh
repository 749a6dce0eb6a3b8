#!/bin/sh
# ccache.sh CCACHE COMPILER ARGUMENTS…: compiles by way of ccache.
#
# A precompiled header is made anew from nothing: with the old one still in its place the preprocessor names that file
# instead of reading the headers, and ccache, which goes by what it prints, may give back the precompiled header of
# another change.
output='' previous='' is_header=''
for word in "$@"; do
  case "$previous" in
    -o) output=$word ;;
    -x) [ "$word" != c++-header ] || is_header=yes ;;
  esac
  previous=$word
done
[ -z "$is_header" ] || rm -f -- "$output"
exec "$@"
