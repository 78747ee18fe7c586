#!/usr/bin/env bash
# Make the secrets that docker-compose.yml mounts, each in a file of its own: `deploy/secrets.sh [FOLDER]`, by default
# ./secrets. What is there already is kept, so it may be run again; nothing is printed but names.
#
# The folder is for its owner alone (0700), and that keeps the files from everybody else on this machine. The files in it
# can be read by all, because compose mounts a file with the owner and mode that it has here, and in a container each
# service runs as a user of its own, who is somebody else. A container sees its own secrets only.
set -euo pipefail
folder=${1:-${KEEPWELL_SECRETS:-$(cd "$(dirname "$0")/.." && pwd)/secrets}}
host=${KEEPWELL_POSTGRES_HOST:-postgres:5432}
database=${KEEPWELL_POSTGRES_DATABASE:-keepwell}
mkdir -p "$folder"
chmod 700 "$folder"
umask 022

random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

keep() { # NAME VALUE
  [ ! -e "$folder/$1" ] || return 0
  printf '%s\n' "$2" >"$folder/$1.partial"
  chmod 444 "$folder/$1.partial"
  mv "$folder/$1.partial" "$folder/$1"
  echo "made $folder/$1"
}

keep keys "k1:$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
keep postgres_password "$(random)"
keep database_url_admin "postgresql://keepwell_admin:$(cat "$folder/postgres_password")@$host/$database"
for service in clinic scheduler notifier assessments; do
  keep "database_url_$service" "postgresql://keepwell_$service:$(random)@$host/$database"
done
keep twilio_auth_token "$(random)" # the sandbox's; yours, once texts go to real phones
keep smtp_password ""              # empty: the mail server asks for none
keep kafka_sasl_password ""        # the same for a Kafka of your own
keep otlp_headers ""               # and for a collector of traces
keep grafana_admin_password "$(random)"
