#!/bin/sh
# A certificate authority of one's own for a bus, with openssl alone:
#   ca.sh init DIR [HOST...]      ca.crt and ca.key; server.crt and server.key for localhost, 127.0.0.1 and each HOST (name or address)
#   ca.sh client DIR USERNAME     USERNAME.crt and USERNAME.key: the common name is the username
#   ca.sh revoke DIR USERNAME     takes USERNAME.crt back: crl.pem, for the broker's crlfile
# DAYS=365 is how long a certificate of a client or the server lasts; the authority and crl.pem last ten years. Keys are written with
# mode 0600; nothing is overwritten.
set -eu
umask 077
DAYS=${DAYS:-365}

die() { echo "ca.sh: $*" >&2; exit 64; }
# quietly COMMAND...: what it said is shown when it fails
quietly() { said=$("$@" 2>&1) || { echo "$said" >&2; die "$* failed"; }; }
absent() { for f; do [ ! -e "$f" ] || die "$f is there already"; done; }

configure() {
	cat >"$DIR/ca.conf" <<TXT
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = $1
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
[ca]
default_ca = this
[this]
database = $DIR/index.txt
certificate = $DIR/ca.crt
private_key = $DIR/ca.key
default_md = sha256
default_crl_days = 3650
TXT
	: >>"$DIR/index.txt"
}

# sign NAME SECTION SUBJECT
sign() {
	absent "$DIR/$1.key" "$DIR/$1.crt"
	quietly openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config "$DIR/ca.conf" -subj "$3" \
		-keyout "$DIR/$1.key" -out "$DIR/$1.csr"
	quietly openssl x509 -req -in "$DIR/$1.csr" -CA "$DIR/ca.crt" -CAkey "$DIR/ca.key" -set_serial "0x$(openssl rand -hex 16)" -days "$DAYS" \
		-extfile "$DIR/ca.conf" -extensions "$2" -out "$DIR/$1.crt"
	rm -f "$DIR/$1.csr"
	chmod 644 "$DIR/$1.crt"
}

make_crl() {
	quietly openssl ca -config "$DIR/ca.conf" -gencrl -out "$DIR/crl.pem"
	chmod 644 "$DIR/crl.pem"
}

init() {
	names="DNS:localhost,IP:127.0.0.1"
	for host; do
		case $host in
		*[!a-zA-Z0-9.:-]* | '') die "not a name or address: $host" ;;
		*:*) names="$names,IP:$host" ;;
		*[!0-9.]*) names="$names,DNS:$host" ;;
		*) names="$names,IP:$host" ;;
		esac
	done
	mkdir -p "$DIR"
	absent "$DIR/ca.key" "$DIR/ca.crt"
	configure "$names"
	quietly openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config "$DIR/ca.conf" -extensions authority \
		-subj '/CN=Vestibule bus' -days 3650 -keyout "$DIR/ca.key" -out "$DIR/ca.crt"
	chmod 644 "$DIR/ca.crt"
	sign server server '/CN=vestibule-broker'
	make_crl
}

command=${1:-} DIR=${2:-}
[ -n "$DIR" ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64; }
shift 2
case $command in
init) init "$@" ;;
client | revoke)
	case ${1:-} in
	'' | *[!a-z0-9_-]*) die "not a username: ${1:-}" ;;
	server | ca) die "$1: that name is taken here" ;;
	esac
	[ -e "$DIR/ca.key" ] || die "no authority in $DIR: ca.sh init $DIR"
	if [ "$command" = client ]; then
		sign "$1" client "/CN=$1"
	else
		quietly openssl ca -config "$DIR/ca.conf" -revoke "$DIR/$1.crt"
		make_crl
		rm -f "$DIR/$1.crt" "$DIR/$1.key" # the name may get another
	fi
	;;
*) die "init, client or revoke" ;;
esac
