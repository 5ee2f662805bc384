#define _GNU_SOURCE
#include "CBlockDevices.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const int cio_open_direct = O_DIRECT;

int cio_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

dev_t cio_make_device(unsigned major, unsigned minor) { return makedev(major, minor); }

int cio_set_immutable(int folder, int on) {
    int flags = 0;
    if (ioctl(folder, FS_IOC_GETFLAGS, &flags) != 0) return -1;
    int wanted = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    return wanted == flags ? 0 : ioctl(folder, FS_IOC_SETFLAGS, &wanted);
}
