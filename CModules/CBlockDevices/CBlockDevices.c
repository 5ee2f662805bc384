#define _GNU_SOURCE
#include "CBlockDevices.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const int cio_open_direct = O_DIRECT;

int cio_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

dev_t cio_make_device(unsigned major, unsigned minor) { return makedev(major, minor); }
