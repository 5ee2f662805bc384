// cio-holder keeps open what must not close when ciod ends, the /dev/fuse descriptors of volumes
// that are in use. As long as one is open, I/O on its disk waits; the ciod that comes next gets
// it back and goes on. With the last descriptor the connection ends, and I/O fails.
//
// One for each node, started by ciod with a listening socket as its standard input (holder.h).
// It ends when it holds nothing, and when no ciod has come for as many seconds as its argument
// says: on a machine where cio is not started again nothing may wait for ever.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "holder.h"

struct entry {
    int descriptor;
    char name[cio_holder_name_bytes];
    char note[cio_holder_note_bytes];
};

static struct entry entries[cio_holder_entries_max];
static int entry_count;

// MARK: Entries

static struct entry *find(const char *name) {
    for (int i = 0; i < entry_count; i++)
        if (strcmp(entries[i].name, name) == 0) return &entries[i];
    return NULL;
}

static int hold(const struct cio_holder_message *message, int descriptor) {
    if (descriptor < 0) return EBADF;
    struct entry *entry = find(message->name);
    if (entry) {
        close(entry->descriptor);
    } else {
        if (entry_count == cio_holder_entries_max) {
            close(descriptor);
            return ENOSPC;
        }
        entry = &entries[entry_count++];
    }
    entry->descriptor = descriptor;
    memcpy(entry->name, message->name, sizeof entry->name);
    memcpy(entry->note, message->note, sizeof entry->note);
    return 0;
}

static void drop(const char *name) {
    struct entry *entry = find(name);
    if (!entry) return;
    close(entry->descriptor);
    *entry = entries[--entry_count];
}

static int send_all(int client) {
    for (int i = 0; i < entry_count; i++) {
        struct cio_holder_message message;
        cio_holder_make(&message, cio_holder_held, entries[i].name, entries[i].note);
        int code = cio_holder_send(client, &message, entries[i].descriptor);
        if (code) return code;
    }
    return 0;
}

// MARK: ciod

// Takes and answers one request. False when the connection is to be closed.
static bool serve(int client) {
    struct cio_holder_message message;
    int descriptor, status = 0;
    if (cio_holder_receive(client, &message, &descriptor)) return false;
    if (message.kind == cio_holder_hold) {
        status = hold(&message, descriptor);
    } else {
        if (descriptor >= 0) close(descriptor);
        switch (message.kind) {
        case cio_holder_drop: drop(message.name); break;
        case cio_holder_list:
            if (send_all(client)) return false;
            break;
        default: status = ENOSYS;
        }
    }
    cio_holder_make(&message, cio_holder_done, "", "");
    message.status = status;
    return cio_holder_send(client, &message, -1) == 0;
}

// A new connection takes the place of an older one: there is one ciod, and the old one is dead.
static int accept_client(int listener, int client) {
    int next = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (next < 0) return client;
    if (!cio_holder_trusts(next)) {
        close(next);
        return client;
    }
    // One that does not read must not keep the next one waiting.
    struct timeval limit = {.tv_sec = 5};
    setsockopt(next, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (client >= 0) close(client);
    return next;
}

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void run(int listener, long long patience_ms) {
    int client = -1;
    long long alone_since = now_ms();
    for (;;) {
        struct pollfd ends[2] = {{.fd = listener, .events = POLLIN},
                                 {.fd = client, .events = POLLIN}};
        long long left = alone_since + patience_ms - now_ms();
        if (client < 0 && left <= 0) return;
        if (poll(ends, 2, client < 0 ? (int)left : -1) < 0) continue;
        if (ends[1].revents && !serve(client)) {
            close(client);
            client = -1;
            alone_since = now_ms();
        }
        if (ends[1].revents && entry_count == 0) return;
        if (ends[0].revents) client = accept_client(listener, client);
    }
}

// MARK: Start

// Leaves the session, folder, outputs and descriptors of whoever started us.
static void detach(void) {
    pid_t child = fork();
    if (child != 0) _exit(child < 0);
    setsid();
    if (chdir("/") != 0) _exit(1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0) _exit(1);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    // The last to go when memory runs out; refused where root may not.
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score < 0) return;
    ssize_t written = write(score, "-1000", 5);
    (void)written;
    close(score);
}

int main(int count, char **words) {
    long seconds = count == 2 ? strtol(words[1], NULL, 10) : 0;
    int listens = 0;
    socklen_t size = sizeof listens;
    if (seconds < 1 || seconds > 1000000 ||
        getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens) {
        static const char text[] = "cio-holder is started by ciod, with a socket\n";
        ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
        (void)written;
        return 2;
    }
    detach();
    run(STDIN_FILENO, seconds * 1000LL);
    return 0;
}
