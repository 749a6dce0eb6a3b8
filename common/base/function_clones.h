// TROUPE_HAS_FUNCTION_CLONES: whether the compiler can make one function for several instruction sets, one of which is
// chosen when the program starts (__attribute__((target_clones(…)))). Sanitizers' start-up does not survive the
// choosing; _GLIBCXX_TSAN stands for a thread build (cmake/toolchain.cmake).
#ifndef TROUPE_COMMON_BASE_FUNCTION_CLONES_H_
#define TROUPE_COMMON_BASE_FUNCTION_CLONES_H_

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(_GLIBCXX_TSAN)
#define TROUPE_HAS_FUNCTION_CLONES 1
#else
#define TROUPE_HAS_FUNCTION_CLONES 0
#endif

#endif  // TROUPE_COMMON_BASE_FUNCTION_CLONES_H_
