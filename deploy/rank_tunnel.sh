#!/usr/bin/env bash
# usage: deploy/rank_tunnel.sh FOLDER HOST[:PORT] HOST[:PORT] ... [--network=A.B.C]
#
# A WireGuard network for what the learners of one run tell each other (docs/data_parallel.md, Security), which their
# own connections neither encrypt nor sign. One HOST per rank, in the order of ranks: the name or address by which the
# other machines reach it, and the UDP port (default 51820) where it listens. Needs wireguard-tools, here and on every
# machine.
#
#   FOLDER/rank-N.conf   for the machine of rank N alone, as its private key is in it: sudo wg-quick up ./rank-N.conf
#
# In it rank N has the address A.B.C.(N+1), by default 10.79.0.(N+1): MASTER_ADDR is rank 0's. Can be given again, also
# with more hosts: keys that are there stay.
set -euo pipefail

folder="" network=10.79.0 hosts=()
for word in "$@"; do
  case "$word" in
    --network=?*) network=${word#*=} ;;
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "rank_tunnel.sh: unknown $word (see --help)" >&2; exit 2 ;;
    *) if [ -z "$folder" ]; then folder=$word; else hosts+=("$word"); fi ;;
  esac
done
[ ${#hosts[@]} -ge 2 ] ||
  { echo "rank_tunnel.sh: expected FOLDER and a HOST for each of two ranks or more" >&2; exit 2; }
[ ${#hosts[@]} -le 254 ] || { echo "rank_tunnel.sh: ${#hosts[@]} hosts, expected 254 at most" >&2; exit 2; }
[[ $network =~ ^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$ ]] ||
  { echo "rank_tunnel.sh: --network=$network: expected three numbers, as 10.79.0" >&2; exit 2; }
for host in "${hosts[@]}"; do
  [[ $host =~ ^([a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]+)?$ ]] ||
    { echo "rank_tunnel.sh: $host: expected HOST or HOST:PORT" >&2; exit 2; }
done
command -v wg > /dev/null || { echo "rank_tunnel.sh: wg is needed: apt-get install wireguard-tools" >&2; exit 1; }

umask 077
mkdir -p "$folder"
cd "$folder"

# Colons elsewhere are an IPv6 address's, in brackets.
has_port='^([^:]+|\[.*\]):([0-9]+)$'
port_of() { if [[ $1 =~ $has_port ]]; then echo "${BASH_REMATCH[2]}"; else echo 51820; fi; }
host_of() { if [[ $1 =~ $has_port ]]; then echo "${BASH_REMATCH[1]}"; else echo "$1"; fi; }

private=() public=()
for rank in "${!hosts[@]}"; do
  key=""
  [ ! -s "rank-$rank.conf" ] || key=$(sed -n 's/^PrivateKey = //p' "rank-$rank.conf")
  private+=("${key:-$(wg genkey)}")
  public+=("$(wg pubkey <<< "${private[$rank]}")")
done

for rank in "${!hosts[@]}"; do
  {
    printf '[Interface]\nPrivateKey = %s\nAddress = %s.%d/24\nListenPort = %s\n' "${private[$rank]}" "$network" \
      $((rank + 1)) "$(port_of "${hosts[$rank]}")"
    for other in "${!hosts[@]}"; do
      [ "$other" != "$rank" ] || continue
      # Also where a firewall forgets who is silent.
      printf '\n[Peer]\nPublicKey = %s\nEndpoint = %s:%s\nAllowedIPs = %s.%d/32\nPersistentKeepalive = 25\n' \
        "${public[$other]}" "$(host_of "${hosts[$other]}")" "$(port_of "${hosts[$other]}")" "$network" $((other + 1))
    done
  } > "rank-$rank.conf.new"
  mv "rank-$rank.conf.new" "rank-$rank.conf"
done
echo "$folder: rank-0.conf to rank-$((${#hosts[@]} - 1)).conf; MASTER_ADDR=$network.1"
