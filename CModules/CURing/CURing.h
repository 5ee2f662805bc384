// liburing's inline functions, imported by Swift directly, and what liburing 2.3 (Debian 12) lacks.
//
// The three system headers come first: liburing.h defines feature macros of its own, and with them
// its view of fd_set, sigset_t and cpu_set_t would differ from Swift's Glibc module.
#pragma once
#include <sys/select.h>
#include <signal.h>
#include <sched.h>
#include <liburing.h>

// Since kernel 6.12: the wait's timeout is an absolute time on the ring's clock, and the clock can
// be chosen (include/uapi/linux/io_uring.h of 6.12).
#define CIO_ENTER_ABS_TIMER (1u << 5)
#define CIO_REGISTER_CLOCK 29u
struct cio_clock_register {
    __u32 clockid;
    __u32 reserved[3];
};

// Since kernel 6.15: the wait of an idle ring is not accounted as waiting for a disk.
#define CIO_ENTER_NO_IOWAIT (1u << 7)
#define CIO_FEAT_NO_IOWAIT (1u << 17)

// The IORING_* flags that Swift does not import, because their macros have casts or are newer.
static const unsigned cio_cancel_all_of_descriptor = IORING_ASYNC_CANCEL_ALL;
static const unsigned cio_cancel_everything = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY;

// Chooses the clock of `ring`'s absolute timeouts; -errno where the kernel cannot.
static inline int cio_uring_register_clock(struct io_uring *ring, int clock) {
    struct cio_clock_register arg = {.clockid = (__u32)clock};
    return io_uring_register((unsigned)ring->ring_fd, CIO_REGISTER_CLOCK, &arg, 0);
}

// Publishes the entries filled so far and returns how many the kernel has not consumed.
static inline unsigned cio_uring_flush(struct io_uring *ring) {
    struct io_uring_sq *sq = &ring->sq;
    io_uring_smp_store_release(sq->ktail, sq->sqe_tail);
    return sq->sqe_tail - *sq->khead;
}

// One io_uring_enter: submits `count` entries, waits for `wait` completions until the timeout
// (none below zero; meaning by `flags`). -errno on failure.
static inline int cio_uring_enter(struct io_uring *ring, unsigned count, unsigned wait,
                                  unsigned flags, long long timeout_ns) {
    struct __kernel_timespec ts = {.tv_sec = timeout_ns / 1000000000,
                                   .tv_nsec = timeout_ns % 1000000000};
    struct io_uring_getevents_arg arg = {.sigmask_sz = _NSIG / 8,
                                         .ts = timeout_ns < 0 ? 0 : (__u64)(uintptr_t)&ts};
    return io_uring_enter2((unsigned)ring->enter_ring_fd, count, wait,
                           flags | IORING_ENTER_EXT_ARG, (sigset_t *)&arg, sizeof arg);
}

// The completion queue's tail, as far as the kernel has published it.
static inline unsigned cio_uring_tail(const struct io_uring *ring) {
    return io_uring_smp_load_acquire(ring->cq.ktail);
}

// Gives back the completion entries before `head`.
static inline void cio_uring_release(struct io_uring *ring, unsigned head) {
    io_uring_smp_store_release(ring->cq.khead, head);
}
