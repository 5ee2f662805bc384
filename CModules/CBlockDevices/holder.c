#define _GNU_SOURCE
#include "holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// MARK: Messages

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int cio_holder_send(int socket, const struct cio_holder_message *message, int descriptor) {
    struct iovec data = {(void *)message, sizeof *message};
    union control control = {.bytes = {0}};
    struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};
    if (descriptor >= 0) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = sizeof control.bytes;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    }
    ssize_t count;
    do count = sendmsg(socket, &packet, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    return count < 0 ? errno : 0;
}

int cio_holder_receive(int socket, struct cio_holder_message *message, int *descriptor) {
    struct iovec data = {message, sizeof *message};
    union control control = {.bytes = {0}};
    struct msghdr packet = {.msg_iov = &data,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    *descriptor = -1;
    ssize_t count;
    do count = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0) return errno;
    if (count == 0) return ECONNRESET;
    struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof *descriptor))
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    bool is_whole = count == sizeof *message && !(packet.msg_flags & MSG_TRUNC);
    if (is_whole && message->version == cio_holder_version &&
        memchr(message->name, 0, sizeof message->name) &&
        memchr(message->note, 0, sizeof message->note))
        return 0;
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
    return EPROTO;
}

bool cio_holder_make(struct cio_holder_message *message, uint32_t kind, const char *name,
                     const char *note) {
    memset(message, 0, sizeof *message);
    message->version = cio_holder_version;
    message->kind = kind;
    if (strlen(name) >= sizeof message->name || strlen(note) >= sizeof message->note) return false;
    strcpy(message->name, name);
    strcpy(message->note, note);
    return true;
}

const char *cio_holder_name(const struct cio_holder_message *message) { return message->name; }
const char *cio_holder_note(const struct cio_holder_message *message) { return message->note; }

// MARK: The socket

bool cio_holder_trusts(int socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

static int open_socket(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) return -ENAMETOOLONG;
    strcpy(address->sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return descriptor < 0 ? -errno : descriptor;
}

static int fail(int descriptor, int code) {
    close(descriptor);
    return -code;
}

int cio_holder_connect(const char *path) {
    struct sockaddr_un address;
    int descriptor = open_socket(path, &address);
    if (descriptor < 0) return descriptor;
    // It answers at once, unless it is stopped: nobody waits for that for ever.
    struct timeval limit = {.tv_sec = 5};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        return fail(descriptor, errno);
    return cio_holder_trusts(descriptor) ? descriptor : fail(descriptor, EPERM);
}

static int listen_at(const char *path) {
    struct sockaddr_un address;
    int descriptor = open_socket(path, &address);
    if (descriptor < 0) return descriptor;
    if (unlink(path) != 0 && errno != ENOENT) return fail(descriptor, errno);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, 0600) != 0 || listen(descriptor, 4) != 0)
        return fail(descriptor, errno);
    return descriptor;
}

// MARK: The process

// The environment goes along: it may carry a mark by which the machine's processes are found.
static int spawn(const char *program, int listener, const char *patience, pid_t *process) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, listener, STDIN_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char *const words[] = {(char *)program, (char *)patience, NULL};
    int code = posix_spawn(process, program, &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

int cio_holder_start(const char *program, const char *path, const char *patience) {
    int listener = listen_at(path);
    if (listener < 0) return -listener;
    pid_t process;
    int code = spawn(program, listener, patience, &process);
    close(listener);
    if (code) return code;
    // What was started leaves a process of its own behind, and ends.
    int status;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR) return errno;
    return status == 0 ? 0 : ECHILD;
}
