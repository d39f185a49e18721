#include "connector/cloud/service.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "connector/base/http.h"
#include "connector/cloud/universal.h"

void service_ref(struct cloud *c)
{
	c->refs++;
}

void service_unref(struct cloud *c)
{
	if (!c || --c->refs)
		return;
	free(c->name);
	free(c->system_uri);
	free(c->ca_file);
	free(c->proxy);
	free(c->username);
	wipe_str(&c->password);
	free(c->certificate_file);
	free(c->key_file);
	universal_close(c->universal);
	free(c);
}

void service_slow_down(struct cloud *c, enum host host, const struct err *err)
{
	int64_t until = c->clock->now_ms(c->clock) + (int64_t)err->retry_after_s * 1000;

	if (err->retry_after_s > 0 && until > c->quiet_until[host])
		c->quiet_until[host] = until;
}

int64_t service_quiet_ms(const struct cloud *c, enum host host)
{
	int64_t left = c->quiet_until[host] - c->clock->now_ms(c->clock);

	return left > 0 ? left : 0;
}

static const char *text_or_none(const char *text)
{
	return text ? text : "";
}

static const char *none_or_text(const char *text)
{
	return *text ? text : NULL;
}

static bool is_of(const struct peer *p, const struct channel_settings *s)
{
	return strcmp(p->username, text_or_none(s->username)) == 0 &&
	       strcmp(p->password, text_or_none(s->password)) == 0 &&
	       strcmp(p->certificate_file, text_or_none(s->certificate_file)) == 0 &&
	       strcmp(p->key_file, text_or_none(s->key_file)) == 0;
}

static struct http_peer *connect_as(struct cloud *c, const struct peer *p)
{
	struct http_peer_settings settings = {
		.ca_file = c->ca_file,
		.certificate_file = none_or_text(p->certificate_file),
		.key_file = none_or_text(p->key_file),
		.username = none_or_text(p->username),
		.password = none_or_text(p->password),
		.proxy = c->proxy,
		.http2 = true,
	};

	return http_peer_new(c->http, &settings);
}

struct peer *service_peer(struct cloud *c, const struct channel_settings *settings)
{
	static const struct channel_settings nobody;
	const struct channel_settings *s = settings ? settings : &nobody;
	struct peer *p = c->peers;

	while (p && !is_of(p, s))
		p = p->next;
	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->username = xstrdup(text_or_none(s->username));
		p->password = xstrdup(text_or_none(s->password));
		p->certificate_file = xstrdup(text_or_none(s->certificate_file));
		p->key_file = xstrdup(text_or_none(s->key_file));
		p->http = connect_as(c, p);
		p->next = c->peers;
		c->peers = p;
	}
	p->refs++;
	return p;
}

void service_peer_release(struct cloud *c, struct peer *p)
{
	struct peer **at = &c->peers;

	if (!p || --p->refs)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	http_peer_free(p->http);
	free(p->username);
	wipe_str(&p->password);
	free(p->certificate_file);
	free(p->key_file);
	free(p);
}
