#!/usr/bin/env bash
# A rollover seen from the outside, with curl, openssl and jq alone: the next authority is prepared and put to use, an agent
# logs in, and who trusts nothing but the old authority accepts the agent's certificate by the chain in the answer.
#
# usage: chains.sh <base url> <operator token file>
set -euo pipefail

base=$1 operator=$(cat "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
umask 077

# call <method> <path> [curl's arguments]
call() {
  curl -sS --fail-with-body -X "$1" "$base/api/$2" -H "authorization: Bearer $operator" \
    -H 'content-type: application/json' "${@:3}"
}
# verify <trusted>: as openssl sees it at the environment's time
verify() {
  openssl verify -no-CApath -no-CAstore -x509_strict -purpose sslclient -attime "$at" \
    -CAfile "$1" -untrusted chain.pem leaf.pem
}

call GET authorities | jq -r '.items[] | select(.state == "Active") | .certificate' >old.pem
next=$(call POST authorities/prepare -d '{}' | jq -r .id)
call POST "authorities/$next/activate" -d '{"force":true}' | jq -e '.state == "Active"' >activated
call GET authorities | jq -e '.status == "Overlap"' >overlap

openssl ecparam -name prime256v1 -genkey -noout -out agent.key
openssl req -new -key agent.key -subj /CN=NodeAgent -out agent.csr
call POST clusters/management/identities/NodeAgent/rotate -d '{}' | jq -r .token >token
jq -n --rawfile token token --rawfile csr agent.csr '{ token: ($token | rtrimstr("\n")), $csr }' |
  curl -sS --fail-with-body "$base/api/login" -H 'content-type: application/json' --data-binary @- >login.json
for part in certificate:leaf chain:chain caBundle:bundle; do
  jq -r ".${part%:*}" login.json >"${part#*:}.pem"
done
at=$(curl -sS "$base/local/clock" | jq -r '.now | fromdateiso8601')

echo "old authority alone: $(verify old.pem)"
echo "present bundle: $(verify bundle.pem)"
: >chain.pem
openssl x509 -in old.pem >chain.pem
if verify old.pem >/dev/null 2>&1; then
  echo 'the old authority alone suffices: the chain was not needed' >&2
  exit 1
fi
