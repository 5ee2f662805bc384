// What ciod and cio-holder, which keeps descriptors for it, say to each other: packets over a unix
// socket, each with at most one descriptor. ciod asks, the holder answers every request with
// `done`; before it, to `list`, with one `held` for each descriptor.
//
// A new ciod meets the holder that an older one has started: what is here never changes.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
    cio_holder_version = 1,
    cio_holder_name_bytes = 64,
    cio_holder_note_bytes = 192,
    // As many volumes as one node may well have attached: 300 KB, touched as far as they are used.
    cio_holder_entries_max = 1024,
};

enum cio_holder_kind {
    // Keep this descriptor under this name, with a note; it replaces an earlier one.
    cio_holder_hold = 1,
    // Close the one of this name; nothing happens where there is none.
    cio_holder_drop = 2,
    cio_holder_list = 3,
    cio_holder_held = 4,
    // `status` is 0 or an errno.
    cio_holder_done = 5,
};

struct cio_holder_message {
    uint32_t version;
    uint32_t kind;
    int32_t status;
    uint32_t unused;
    // Both end with a zero.
    char name[cio_holder_name_bytes];
    char note[cio_holder_note_bytes];
};

// 0, or the errno of what failed. A descriptor of -1 is none.
int cio_holder_send(int socket, const struct cio_holder_message *message, int descriptor);
// ECONNRESET at the connection's end, EPROTO for what is no message. `descriptor` is the caller's,
// or -1; it is close-on-exec.
int cio_holder_receive(int socket, struct cio_holder_message *message, int *descriptor);

// False where a text is too long.
bool cio_holder_make(struct cio_holder_message *message, uint32_t kind, const char *name,
                     const char *note);
const char *cio_holder_name(const struct cio_holder_message *message);
const char *cio_holder_note(const struct cio_holder_message *message);

// Whether the other end is a process of our own user (SO_PEERCRED, unix(7)).
bool cio_holder_trusts(int socket);
// Connects to a holder. A socket, or -errno: ENOENT and ECONNREFUSED where none runs.
int cio_holder_connect(const char *path);
// Starts a holder that listens at `path`, in place of whatever was there. It ends when nobody has
// been connected for `patience` seconds, in decimal. 0 or an errno.
int cio_holder_start(const char *program, const char *path, const char *patience);
