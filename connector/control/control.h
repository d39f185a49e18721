/* control.h - serves the control socket RUNTIME/control: Varlink calls of the command line and of
 * other local tools, by common/org.printconnector.Connector.varlink. Anybody may connect; root, the
 * daemon's own user and the members of two groups are answered. What a peer sends is bounded in
 * size, number and time, and a peer that does not read is dropped. Loop thread only. */
#ifndef CONNECTOR_CONTROL_CONTROL_H
#define CONNECTOR_CONTROL_CONTROL_H

#define CONTROL_SOCKET "control"

struct control;
struct core;
struct err;
struct http;
struct loop;

struct control_settings {
	const char *runtime_directory; /* copied; made when it is missing */
	const char *control_group;     /* copied; members may look and change */
	const char *status_group;      /* copied; members may look */
	const char *version;           /* borrowed for the control's life */
	const struct http *http;       /* likewise; for metrics; NULL: none */
};

/* Listens. A socket that nobody listens to any more is replaced; one that answers is ERR_REJECTED.
 * Looks up the groups, which may block. */
int control_open(struct control **ret, struct loop *loop, struct core *core,
                 const struct control_settings *settings, struct err *err);
/* After a reload of the settings. Peers that are connected keep the rights they came with. */
void control_set_groups(struct control *c, const char *control_group, const char *status_group);
/* Removes the socket and drops all peers. What they had asked for goes on or is abandoned without
 * them: call it before core_drain(), and let the loop run. NULL is fine. */
void control_close(struct control *c);

#endif
