# Descendants that want to outlive gate: usage tree.sh FOLDER. Each leaves a mark ten times a second.
folder=$1
beat() { while :; do date +%s%N > "$folder/$1"; sleep 0.1; done; }
( beat child ) &
( setsid sh -c '( trap "" HUP TERM INT; while :; do date +%s%N > "$1/orphan"; sleep 0.1; done ) & ' sh "$folder" ) &
setsid sh -c 'echo $$ > "$1/stopped.pid"; date > "$1/stopped"; kill -STOP $$; while :; do date +%s%N > "$1/stopped"; sleep 0.1; done' sh "$folder" &
nohup sh -c 'while :; do date +%s%N > "$1/nohup"; sleep 0.1; done' sh "$folder" >/dev/null 2>&1 &
echo PROBE start
wait
