// Kernel interfaces of block devices: FUSE, loop, mount. Headers of the system as far as they
// go (Debian 12: Linux 6.1); what is newer is defined here.
#pragma once
#include <linux/falloc.h>
#include <linux/fuse.h>
#include <linux/loop.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/types.h>

#include "holder.h"

// Linux 6.6, FUSE 7.39: INIT flag 2^36, shared mappings of files opened with FOPEN_DIRECT_IO.
#ifndef FUSE_DIRECT_IO_ALLOW_MMAP
#define FUSE_DIRECT_IO_ALLOW_MMAP (1ULL << 36)
#endif
// Linux 6.9, FUSE 7.40: INIT flag 2^39, the kernel can send unanswered requests again ...
#ifndef FUSE_HAS_RESEND
#define FUSE_HAS_RESEND (1ULL << 39)
#endif
// ... when it is told so by this notification (an enumerator where the header has it) ...
static const int32_t cio_fuse_notify_resend = 7;
// ... and then sets this bit in `unique`; the answer repeats it.
#ifndef FUSE_UNIQUE_RESEND
#define FUSE_UNIQUE_RESEND (1ULL << 63)
#endif

// What the C library hides behind _GNU_SOURCE or has as a macro only.
extern const int cio_open_direct;
// A pipe whose ends are close-on-exec from the start.
int cio_pipe(int ends[2]);
// Sets or clears a folder's immutable flag (FS_IOC_SETFLAGS); -1 and errno where that fails.
int cio_set_immutable(int folder, int on);
dev_t cio_make_device(unsigned major, unsigned minor);
