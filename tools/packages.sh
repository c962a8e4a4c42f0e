#!/usr/bin/env bash
# Installs the Debian packages that the system tests use, if they are missing; clear message when it may not.
set -euo pipefail
want=(sox espeak-ng chromium mmdebstrap zstd libspandsp2 multimon-ng
    asterisk-core-sounds-{en,es,fr,it,ru}-wav asterisk-moh-opsound-wav
    pulseaudio pulseaudio-utils libasound2-plugins libportaudio2 jackd2)
missing=()
for package in "${want[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "The system tests need these Debian packages: ${missing[*]}" >&2
    echo "Install them as root: apt-get update && apt-get install -y ${missing[*]}" >&2
    exit 2
fi
echo "installing ${missing[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
