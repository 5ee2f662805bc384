#!/usr/bin/env bash
# The story that a newcomer sees, and that its check of lost commits is one.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

testing 'the story'
"$root/scripts/quickstart"
testing 'a commit that was dropped is noticed'
"$root/scripts/quickstart" --self-test
