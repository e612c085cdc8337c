#!/bin/sh
# First start: makes the store and the first operator; the token stays in the volume, readable by the broker's user.
set -eu
store=/var/lib/vestibule/vestibule.db
[ -e "$store" ] || vestibule-ctl init --store "$store" --operator operator --token-out /var/lib/vestibule/operator.token
exec mosquitto -c /etc/mosquitto/vestibule.conf
