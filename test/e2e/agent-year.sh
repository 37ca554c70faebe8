#!/usr/bin/env bash
# An agent's year, played with curl, openssl and jq alone: login, renewals by JWS and by the cloud agent's CSR
# extension, token rotations, lost answers, sixty days off and recovery, revocation. Every certificate is verified by
# openssl at the moment it is issued. The environment is one that `npm start` made; time is moved by /local/clock.
#
# usage: agent-year.sh <base url> <login file> <operator token file> <cluster>
set -euo pipefail

base=$1 login_file=$2 operator_token=$(cat "$3") cluster=$4
name=$(sed -n 's/^name: //p' "$login_file")
token=$(sed -n 's/^token: //p' "$login_file")
identity=/api/clusters/$cluster/identities/$name
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
umask 077

# --- telling, and time ------------------------------------------------------------------------------------------------

now() { curl -sS "$base/local/clock" | jq -r .now; }
epoch() { jq -nr --arg t "$(now)" '$t | fromdateiso8601'; }
begun=$(epoch)
say() { printf 'day %3d  %s\n' $((($(epoch) - begun) / 86400)) "$*"; }
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# Time passes for everybody; what was due by then has been done when this returns.
days_pass() {
  curl -sS -o clock.json -X POST "$base/local/clock" -d "{\"advance\":\"P$1D\",\"settle\":true}"
  jq -e .now clock.json >/dev/null || fail "the clock answered: $(cat clock.json)"
}

# --- HTTP -------------------------------------------------------------------------------------------------------------

# post <path> <header>: sends body.json; leaves the answer in answer.json and its status in $status
post() {
  status=$(curl -sS -o answer.json -w '%{http_code}' -X POST "$base$1" -H 'content-type: application/json' -H "$2" \
    --data-binary @body.json)
}
answer() { jq -r "$1" answer.json; }
expect() { [ "$status" = 200 ] || fail "$1 was answered with $status: $(cat answer.json)"; }
# expect_refusal <code> <what>
expect_refusal() {
  [ "$status $(answer .code)" = "401 $1" ] || fail "$2: expected $1, got $status: $(cat answer.json)"
  say "$2 is refused: $1"
}

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
# Hexadecimal digits to bytes.
bytes() { printf "$(sed 's/../\\x&/g')"; }
# A DER ECDSA signature as the two numbers of 32 bytes that a JWS has (RFC 7518 section 3.4).
raw_signature() {
  openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p' | while read -r number; do printf '%64s' "$number"; done |
    tr ' ' 0 | bytes
}

# post_proven <path>: with a JWS over body.json by the key of the current certificate (RFC 7515; RS256 or ES256)
post_proven() {
  local x5c header claims body_hash signature
  x5c=$(openssl x509 -in current.pem -outform DER | openssl base64 -A)
  header=$(jq -cjn --arg a "$current_algorithm" --arg x "$x5c" '{alg:$a,x5c:[$x]}' | base64url)
  body_hash=$(openssl dgst -sha256 -binary body.json | base64url)
  claims=$(jq -cjn --arg u "$base$1" --argjson t "$(epoch)" --arg j "$(openssl rand -hex 16)" --arg b "$body_hash" \
    '{htm:"POST",htu:$u,iat:$t,jti:$j,body:$b}' | base64url)
  printf '%s.%s' "$header" "$claims" | openssl dgst -sha256 -sign current.key -binary >signature.bin
  case $current_algorithm in
    RS256) signature=$(base64url <signature.bin) ;;
    ES256) signature=$(raw_signature <signature.bin | base64url) ;;
  esac
  post "$1" "X-Everleaf-Proof: $header.$claims.$signature"
}

# --- keys and requests ------------------------------------------------------------------------------------------------

# new_key <RS256|ES256>: named after the algorithm that it will prove with
new_key() {
  next_algorithm=$1
  case $1 in
    RS256) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out next.key 2>openssl.log ;;
    ES256) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out next.key 2>openssl.log ;;
  esac
}
plain_request() { openssl req -new -key next.key -subj "/CN=$name" -out next.csr; }

# A request that is its own proof, as the cloud agent's clients make it: extension 1.3.6.1.4.1.311.104.1.1 holds a
# throw-away certificate for the new key, signed by the old one, and the old certificate, both in PEM.
self_proving_request() {
  local at
  at=$(now | tr -d 'T:-')
  openssl req -new -key next.key -subj '/CN=CSR Key' -out throwaway.csr
  : >index.txt
  echo 01 >serial
  cat >ca.cnf <<END
[ca]
default_ca = old
[old]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = throwaway
[any]
commonName = supplied
[throwaway]
basicConstraints = critical, CA:FALSE
END
  # -startdate: openssl would else take the machine's own time, which is not the environment's.
  openssl ca -batch -notext -config ca.cnf -cert current.pem -keyfile current.key -in throwaway.csr \
    -startdate "$at" -enddate 20991231235959Z -out throwaway.pem 2>openssl.log || fail "$(cat openssl.log)"
  cat >request.cnf <<END
[req]
distinguished_name = subject
req_extensions = extensions
prompt = no
[subject]
CN = $name
[extensions]
1.3.6.1.4.1.311.104.1.1 = DER:$(cat throwaway.pem current.pem | od -An -v -tx1 | tr -d ' \n')
END
  openssl req -new -key next.key -config request.cnf -out next.csr
}

# --- what an agent does -----------------------------------------------------------------------------------------------

log_in() {
  jq -n --arg t "$token" --rawfile c next.csr '{token:$t,csr:$c}' >body.json
  post /api/login 'accept: application/json'
}

# ask_renewal <jws|csr>: sends body.json with this kind of proof
ask_renewal() {
  case $1 in
    jws) post_proven /api/certificates/renew ;;
    csr) post /api/certificates/renew 'accept: application/json' ;;
  esac
}
# prepare_renewal <jws|csr> <algorithm of the new key>
prepare_renewal() {
  new_key "$2"
  case $1 in
    jws) plain_request ;;
    csr) self_proving_request ;;
  esac
  jq -n --rawfile c next.csr '{csr:$c}' >body.json
}

# same_again <field> <function> [<argument>]: the answer got lost, and the same request gives the same thing once more
same_again() {
  local field=$1 before
  before=$(answer "$field")
  shift
  "$@"
  expect "$* again"
  [ "$(answer "$field")" = "$before" ] || fail "$* again gave something else"
  say "an answer got lost; asked again ($1), the same came"
}

# take <what>: keeps the certificate of answer.json, once openssl has verified it at this moment
take() {
  answer .certificate >new.pem
  answer .caBundle >bundle.pem
  verify new.pem || fail "$1: $(cat verify.log)"
  openssl x509 -in new.pem -noout -pubkey >certified.pub
  openssl pkey -in next.key -pubout >own.pub
  cmp -s certified.pub own.pub || fail "$1: the certificate is for another key"
  openssl x509 -in new.pem -noout -ext subjectAltName | grep -q "URI:spiffe://.*/cluster/$cluster/client/$name" ||
    fail "$1: the certificate is for somebody else"
  mv new.pem current.pem
  mv next.key current.key
  current_algorithm=$next_algorithm
  say "$1: certificate $(answer .serialNumber | cut -c1-8), renewal $(answer .renewCount), until $(answer .notAfter)"
}
# verify <file>: as a client and as a server, strictly, at the environment's time
verify() {
  local purpose at
  at=$(epoch)
  for purpose in sslclient sslserver; do
    openssl verify -x509_strict -purpose "$purpose" -attime "$at" -CAfile bundle.pem "$1" >verify.log 2>&1 || return 1
  done
}

# renew <jws|csr> <algorithm of the new key>: the first answer gets lost
renew() {
  prepare_renewal "$1" "$2"
  ask_renewal "$1"
  expect "renewal by $1"
  same_again .serialNumber ask_renewal "$1"
  renewals=$((renewals + 1))
  [ "$(answer .renewCount)" = "$renewals" ] || fail "expected renewal $renewals, got $(answer .renewCount)"
  rotation_due=$(answer .token.rotationDue)
  take "renewed by $1, $current_algorithm to $2"
  carries 1.3.6.1.4.1.311.104.1.3 && carries 1.3.6.1.4.1.311.104.1.2 ||
    fail 'RenewCount or OriginalCertificate is missing in the certificate'
}
carries() { openssl asn1parse -in current.pem | grep "OBJECT *:$1\$" >/dev/null; }

# The first answer gets lost here too.
rotate_token() {
  previous_token=$token
  printf '{}' >body.json
  post_proven /api/token/rotate
  expect 'rotating the token'
  same_again .token post_proven /api/token/rotate
  token=$(answer .token)
  [ "$token" != "$previous_token" ] || fail 'the rotated token is the old one'
  rotations=$((rotations + 1))
  say "token rotated, until $(answer .expiresAt)"
}

# --- the year ---------------------------------------------------------------------------------------------------------

renewals=0 rotations=0
new_key RS256
plain_request
log_in
expect 'the login'
same_again .serialNumber log_in
take 'logged in with the login file'

# keep_alive <jws|csr> <algorithm of the new key>
keep_alive() {
  renew "$1" "$2"
  if [ "$rotation_due" = true ]; then rotate_token; fi
}
# live <days> <jws|csr> <algorithm of the new key>
live() {
  days_pass "$1"
  keep_alive "$2" "$3"
}
live 40 jws RS256
live 40 csr RS256

days_pass 40
say 'a renewal is due, and the machine is off'
days_pass 60
say 'back after sixty days, certificate and token are past their ends'
if verify current.pem; then fail 'openssl still accepts the certificate'; fi
grep -q 'certificate has expired' verify.log || fail "$(cat verify.log)"
new_key RS256
plain_request
log_in
expect_refusal Expired 'a login with the expired token'
keep_alive jws ES256
[ "$rotation_due" = true ] || fail 'an expired token is to be rotated'

live 40 csr ES256
live 40 jws ES256
live 40 csr RS256
# The authority ends on day 365, and no certificate outlives it.
live 40 jws RS256
days_pass 15
[ "$rotations" -ge 4 ] || fail "the token was rotated $rotations times only"

say "a new machine logs in with the last of $rotations rotated tokens"
new_key ES256
plain_request
log_in
expect 'a login with the rotated token'
take 'logged in again'
last_token=$token token=$previous_token
log_in
expect_refusal Expired 'a login with the token before it'
token=$last_token

printf '{"reason":"keyCompromise"}' >body.json
post "$identity/revoke" "Authorization: Bearer $operator_token"
expect 'the revocation'
say 'an operator revokes the identity'
new_key RS256
plain_request
log_in
expect_refusal Revoked 'a login'
for kind in jws csr; do
  prepare_renewal "$kind" RS256
  ask_renewal "$kind"
  expect_refusal Revoked "a renewal by $kind"
done
printf '{}' >body.json
post_proven /api/token/rotate
expect_refusal Revoked 'a rotation of the token'
say "the end: $renewals renewals, $rotations rotations"
