# Sourced after integration.sh: the files of an image with Debian's own packages in it.

# Makes the archive $1 of a small Debian with the packages $2 (with commas), and the files below the
# folder $3. Needs a network, and about a minute.
make_debian_image() {
    local archive=$1 packages=$2 files=$3 tree=${1%.tar}
    mkdir -p "$tree"
    # What it mounts, and may leave, ends with a namespace of its own.
    unshare --mount --propagation private debootstrap --variant=minbase --include="$packages" \
        bookworm "$tree" >"$tree.log" 2>&1 ||
        lacks "debootstrap did not get its packages: $(tail -n 1 "$tree.log")"
    cp -a "$files/." "$tree/"
    tar -C "$tree" -cf "$archive" --exclude=./proc/* --exclude=./sys/* --exclude=./dev/* \
        --exclude=./var/cache/apt/* --exclude=./var/lib/apt/lists/* --exclude=./usr/share/doc/* \
        --exclude=./usr/share/locale/* --exclude=./usr/share/man/* .
    rm -rf --one-file-system -- "$tree"
}
