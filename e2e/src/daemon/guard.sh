# Ends a dockerd, and takes away what it leaves. DATA and RUN are its folders, BRIDGE is its interface.

# The ids of its processes: their command lines name its folders.
left() {
    printf '%s/\n' "$DATA" "$RUN" | grep -alFf - /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3
}

gone() {
    for _ in $(seq 100); do
        [ -z "$(left)" ] && return
        sleep 0.05
    done
    return 1
}

# All at once, as when a machine loses its power.
end() {
    for _ in 1 2 3; do
        kill -KILL $(left) 2>/dev/null
        gone && return
    done
    echo "these do not end: $(left)" >&2
    return 1
}

# Kindly first: dockerd ends the steps that it runs.
clean() {
    if [ -n "$(left)" ]; then
        kill -TERM "$(cat "$RUN/docker.pid")" 2>/dev/null && gone
        end
    fi
    for folder in "$DATA" "$RUN"; do
        cut -d' ' -f2 /proc/self/mounts | grep -F "$folder/" | sort -r | xargs -r umount -l
        rm -rf "$folder"
    done
    ip link delete "$BRIDGE" 2>/dev/null
    [ ! -e "$DATA" ] && [ ! -e "$RUN" ]
}

case "$1" in
end) end ;;
clean) clean ;;
guard)
    # Our input ends with the test's process, whatever ends that.
    trap '' HUP INT TERM
    cat >/dev/null
    clean
    ;;
esac
