// The kernel's native AIO (io_setup(2) and its family), epoll, eventfd and timerfd.
//
// The five system calls are made directly: libaio would add a package and nothing else. Each
// function answers -errno on failure.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static inline int cio_aio_result(long r) { return r < 0 ? -errno : (int)r; }

static inline int cio_aio_setup(unsigned operations, aio_context_t *context) {
    return cio_aio_result(syscall(SYS_io_setup, operations, context));
}

// Waits for every operation in flight.
static inline int cio_aio_destroy(aio_context_t context) {
    return cio_aio_result(syscall(SYS_io_destroy, context));
}

static inline int cio_aio_submit(aio_context_t context, long count, struct iocb **operations) {
    return cio_aio_result(syscall(SYS_io_submit, context, count, operations));
}

// Takes up to `max` completions, waiting for at least `min`.
static inline int cio_aio_getevents(aio_context_t context, long min, long max,
                                    struct io_event *events) {
    return cio_aio_result(syscall(SYS_io_getevents, context, min, max, events, (void *)0));
}

// struct iocb has a field order that depends on the byte order, and flags that Swift cannot name.
static inline void cio_aio_prepare(struct iocb *operation, uint16_t opcode, int descriptor,
                                   void *bytes, uint64_t length, uint64_t offset, int write_flags,
                                   int completion_eventfd, uint64_t data) {
    *operation = (struct iocb){.aio_data = data,
                               .aio_rw_flags = write_flags,
                               .aio_lio_opcode = opcode,
                               .aio_fildes = (uint32_t)descriptor,
                               .aio_buf = (uint64_t)(uintptr_t)bytes,
                               .aio_nbytes = length,
                               .aio_offset = (int64_t)offset,
                               .aio_flags = IOCB_FLAG_RESFD,
                               .aio_resfd = (uint32_t)completion_eventfd};
}

// epoll's and timerfd's flags are enums or macros with casts; as plain numbers they import.
static const uint32_t cio_epoll_both_edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | (1u << 31);
static const uint32_t cio_epoll_input_edges = EPOLLIN | (1u << 31);
static const uint32_t cio_epoll_input = EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP;
static const uint32_t cio_epoll_output = EPOLLOUT | EPOLLERR | EPOLLHUP;

// What Swift's Glibc module hides, being GNU's own: these set errno like any call of the library.

static const int cio_open_direct = __O_DIRECT;

// A connection, close-on-exec; its address is not asked for.
static inline int cio_accept(int listener) {
    return (int)syscall(SYS_accept4, listener, (void *)0, (void *)0, SOCK_CLOEXEC);
}

// pwrite with RWF_* flags.
static inline long cio_pwrite(int file, const void *bytes, size_t length, uint64_t offset,
                              int flags) {
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    return syscall(SYS_pwritev2, file, &vector, 1ul, (unsigned long)offset, 0ul, flags);
}

static inline long cio_fallocate(int file, int mode, uint64_t offset, uint64_t length) {
    return syscall(SYS_fallocate, file, mode, offset, length);
}

// Names the calling thread; the kernel keeps 15 bytes.
static inline void cio_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

// Sets the timer to an absolute time; zero stops it.
static inline int cio_timer_set(int timer, uint64_t nanoseconds) {
    struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(nanoseconds / 1000000000),
                                           .tv_nsec = (long)(nanoseconds % 1000000000)}};
    return cio_aio_result(timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, 0));
}
