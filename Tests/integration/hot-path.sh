#!/usr/bin/env bash
# No function on the way of an I/O calls the Swift runtime, by what the optimiser made of it.
source "$(dirname "$0")/../../scripts/lib/common.sh"

"$root/scripts/check-hot-path" "${CIO_BIN-$bin}/ciod"
