// What fcntl.h, stdio.h, sys/file.h and linux/magic.h define under _GNU_SOURCE or as macros, and
// Swift's Glibc therefore does not show.
#pragma once
#include <sys/vfs.h>

enum {
#if defined(__aarch64__) || defined(__arm__)
    cio_o_direct = 0200000,
#else
    cio_o_direct = 040000,
#endif
};

// lseek(2): the next data, and the next hole.
enum { cio_seek_data = 3, cio_seek_hole = 4 };

// statfs(2): the filesystems that the drive store tells apart.
enum { cio_ext4_magic = 0xEF53, cio_xfs_magic = 0x58465342 };

// The f_type of the filesystem that holds `path`, or -1 with errno set.
static inline long cio_filesystem_magic(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 ? (long)status.f_type : -1;
}
