/* A printer's token: asked for with a JWT that its key signs, renewed, refused. Virtual time. */
#include "tests/unit/universal_double.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cJSON.h>

#include "connector/cloud/device_jwt.h"
#include "connector/cloud/service.h"
#include "connector/cloud/token.h"
#include "tests/lib/says.h"

#define WAITS 4

static struct cloud *cloud;
static struct token *token;
static struct waiter {
	struct token_wait wait;
	int ready;
	bool failed;
	struct err err;
	struct bearer *got;
} waiters[WAITS];

static void on_ready(struct token_wait *w, const struct err *err)
{
	struct waiter *x = w->data;

	x->ready++;
	x->failed = err;
	if (err)
		x->err = *err;
	else
		x->got = token_get(token, w);
}

static int setup(void **state)
{
	struct channel_settings settings;
	struct err err;

	(void)state;
	double_init(1);
	universal_init();
	memset(waiters, 0, sizeof(waiters));
	for (size_t i = 0; i < WAITS; i++)
		waiters[i].wait = (struct token_wait){ .data = &waiters[i], .ready = on_ready };
	cloud = double_universal();
	settings = universal_settings();
	return token_new(&token, cloud, &settings, &err);
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAITS; i++)
		bearer_unref(waiters[i].got);
	token_free(token);
	(void)fake_clock_settle(&cloud_double.clock);
	cloud_ops.close(cloud);
	double_clear();
	return 0;
}

static void wait_ms(int64_t ms)
{
	(void)fake_clock_advance(&cloud_double.clock, ms);
}

static void get(size_t i)
{
	bearer_unref(waiters[i].got);
	waiters[i].ready = 0;
	waiters[i].got = token_get(token, &waiters[i].wait);
}

static void assert_got(size_t i, const char *text)
{
	assert_non_null(waiters[i].got);
	assert_string_equal(bearer_text(waiters[i].got), text);
}

static void assert_failed(size_t i, enum err_kind kind, int code, const char *text)
{
	assert_int_equal(waiters[i].ready, 1);
	assert_true(waiters[i].failed);
	assert_int_equal(waiters[i].err.kind, kind);
	assert_int_equal(waiters[i].err.code, code);
	assert_says(&waiters[i].err, text);
}

/* ---- the JWT ---- */

static size_t decode_base64url(const char *text, size_t len, unsigned char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = strchr(digits, text[i]);

		assert_non_null(at);
		bits = bits << 6 | (unsigned)(at - digits);
		if (i % 4)
			out[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	out[n] = '\0';
	return n;
}

static cJSON *part(const char *jwt, int number)
{
	unsigned char text[8192];

	while (number--)
		jwt = strchr(jwt, '.') + 1;
	(void)decode_base64url(jwt, strcspn(jwt, "."), text);
	return cJSON_Parse((char *)text);
}

static void assert_member(const cJSON *o, const char *name, const char *value)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

	assert_non_null(text);
	assert_string_equal(text, value);
}

static void make(bool x5c_string, struct buf *jwt)
{
	struct device_jwt what = {
		.identity = &universal_double.identity,
		.nonce = "n \"1\"",
		.key_pem = universal_double.key,
		.certificate_pem = universal_double.certificate,
		.x5c_string = x5c_string,
	};
	struct err err;

	buf_init(jwt, 65536);
	assert_int_equal(device_jwt_make(&what, jwt, &err), 0);
}

static void assert_signed(const char *jwt)
{
	const char *dot = strrchr(jwt, '.');
	BIO *bio = BIO_new_mem_buf(universal_double.key, -1);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = decode_base64url(dot + 1, strlen(dot + 1), signature);

	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
	assert_int_equal(EVP_DigestVerify(ctx, signature, len, (const unsigned char *)jwt,
	                                  (size_t)(dot - jwt)),
	                 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
}

static void test_the_jwt_is_that_of_the_document(void **state)
{
	struct buf jwt, der, text;
	const cJSON *chain;
	cJSON *header, *claims;
	struct err err;

	(void)state;
	make(false, &jwt);
	header = part(buf_text(&jwt), 0);
	claims = part(buf_text(&jwt), 1);
	assert_int_equal(cJSON_GetArraySize(header), 3);
	assert_member(header, "alg", "RS256");
	assert_member(header, "typ", "JWT");
	chain = cJSON_GetObjectItemCaseSensitive(header, "x5c");
	assert_int_equal(cJSON_GetArraySize(chain), 1);
	buf_init(&der, 65536);
	buf_init(&text, 65536);
	assert_int_equal(crypto_certificate_der(universal_double.certificate, &der, &err), 0);
	assert_int_equal(crypto_base64(der.data, der.len, &text), 0);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(chain, 0)), buf_text(&text));
	assert_int_equal(cJSON_GetArraySize(claims), 6); /* no iat, no exp */
	assert_member(claims, "request_nonce", "n \"1\"");
	assert_member(claims, "grant_type", "device_token");
	assert_member(claims, "resource", "https://resource.example");
	assert_member(claims, "client_id", "app-1");
	assert_member(claims, "redirect_uri", "https://redirect.example/");
	assert_member(claims, "iss", UNIVERSAL_DEVICE);
	assert_signed(buf_text(&jwt));
	cJSON_Delete(header);
	buf_wipe(&jwt);
	make(true, &jwt);
	header = part(buf_text(&jwt), 0);
	assert_member(header, "x5c", buf_text(&text));
	assert_signed(buf_text(&jwt));
	cJSON_Delete(header);
	cJSON_Delete(claims);
	buf_wipe(&jwt);
	buf_clear(&der);
	buf_clear(&text);
}

static void test_a_jwt_needs_key_and_certificate(void **state)
{
	struct device_jwt what = { .identity = &universal_double.identity,
		                   .nonce = "n",
		                   .key_pem = "junk",
		                   .certificate_pem = universal_double.certificate };
	struct buf jwt;
	struct err err;

	(void)state;
	buf_init(&jwt, 65536);
	assert_int_equal(device_jwt_make(&what, &jwt, &err), -1);
	what.key_pem = universal_double.key;
	what.certificate_pem = "junk";
	assert_int_equal(device_jwt_make(&what, &jwt, &err), -1);
	buf_wipe(&jwt);
	what.certificate_pem = universal_double.certificate;
	buf_init(&jwt, 100);
	assert_int_equal(device_jwt_make(&what, &jwt, &err), -1);
	buf_wipe(&jwt);
}

/* ---- getting it ---- */

static void test_all_who_wait_get_one_token(void **state)
{
	char want[4096];

	(void)state;
	for (size_t i = 0; i < WAITS; i++)
		get(i);
	assert_null(waiters[0].got);
	wait_ms(10);
	for (size_t i = 0; i < WAITS; i++) {
		assert_int_equal(waiters[i].ready, 1);
		assert_got(i, "token-1");
	}
	assert_int_equal(universal_double.nonces, 1);
	assert_int_equal(universal_double.tokens, 1);
	(void)snprintf(want, sizeof(want),
	               "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type"
	               "%%3Ajwt-bearer&request=ey");
	assert_memory_equal(universal_double.request, want, strlen(want));
	get(0);
	assert_got(0, "token-1");
	assert_int_equal(cloud_double.web_count, 2);
}

static void test_who_left_is_not_called(void **state)
{
	(void)state;
	get(0);
	get(1);
	token_leave(token, &waiters[0].wait);
	token_leave(token, &waiters[0].wait);
	wait_ms(10);
	assert_int_equal(waiters[0].ready, 0);
	assert_got(1, "token-1");
}

static void test_it_is_renewed_before_it_ends_and_the_old_one_serves_meanwhile(void **state)
{
	(void)state;
	get(0);
	wait_ms(10);
	wait_ms(3600 * 700);
	get(0);
	wait_ms(10);
	assert_int_equal(universal_double.tokens, 1);
	wait_ms(3600 * 110); /* 81 % */
	get(0);
	assert_got(0, "token-1");
	get(1);
	assert_got(1, "token-1");
	wait_ms(10);
	assert_int_equal(universal_double.tokens, 2);
	get(2);
	assert_got(2, "token-2");
	assert_got(0, "token-1"); /* it may be on its way */
}

static void lives(const char *life, int64_t ms)
{
	universal_double.life = life;
	get(0);
	wait_ms(10);
	token_refuse(token, waiters[0].got);
	get(0);
	wait_ms(10);
	assert_non_null(waiters[0].got);
	universal_double.status = 503; /* no other */
	wait_ms(ms - 6000);
	get(0);
	assert_non_null(waiters[0].got);
	wait_ms(1010);
	get(0);
	assert_null(waiters[0].got);
	wait_ms(10);
	universal_double.status = 0;
	get(0);
	wait_ms(10);
}

static void test_its_life_is_what_is_said_within_reason(void **state)
{
	(void)state;
	lives("3600", 3600000);
	lives("\"7200\"", 7200000);
	lives("5", 60000);
	lives("1e30", 86400000);
	lives("-1", 60000);
	lives("null", 1800000);
}

static void test_a_refused_one_is_replaced_once(void **state)
{
	(void)state;
	get(0);
	get(1);
	wait_ms(10);
	token_refuse(token, waiters[0].got);
	token_refuse(token, waiters[1].got); /* the same: two exchanges were under way */
	get(0);
	wait_ms(10);
	assert_got(0, "token-2");
	token_refuse(token, waiters[1].got); /* late: it was token-1 */
	get(2);
	assert_got(2, "token-2");
}

static void test_a_failed_renewal_is_told_or_tried_again_in_time(void **state)
{
	(void)state;
	universal_double.status = 500;
	get(0);
	wait_ms(10);
	assert_failed(0, ERR_TEMPORARY, 500, "");
	universal_double.status = 0;
	get(0);
	wait_ms(10);
	assert_got(0, "token-1");
	wait_ms(3600 * 850);
	universal_double.status = 500;
	get(0);
	wait_ms(10);
	get(0);
	wait_ms(10);
	assert_got(0, "token-1");
	assert_int_equal(universal_double.nonces, 3); /* not with each use */
	wait_ms(61000);
	universal_double.status = 0;
	get(0);
	wait_ms(10);
	get(0);
	assert_got(0, "token-2");
}

static void test_a_refusal_is_tried_with_another_nonce_then_told(void **state)
{
	(void)state;
	universal_double.token_status = 400;
	get(0);
	wait_ms(10);
	assert_failed(0, ERR_DENIED, 401, "AADSTS1");
	assert_int_equal(universal_double.nonces, 2);
	universal_double.token_status = 401;
	get(0);
	wait_ms(10);
	assert_failed(0, ERR_DENIED, 401, "certificate");
	assert_int_equal(universal_double.nonces, 4);
	universal_double.status = 400;
	get(0);
	wait_ms(10);
	assert_failed(0, ERR_DENIED, 401, "");
	assert_int_equal(universal_double.nonces, 5);
}

static void test_an_exchange_that_was_lost_with_its_connection_gets_another_nonce(void **state)
{
	(void)state;
	universal_double.lost = 1;
	get(0);
	wait_ms(10);
	assert_got(0, "token-1");
	assert_int_equal(universal_double.nonces, 2);
	token_refuse(token, waiters[0].got);
	universal_double.lost = 2;
	get(1);
	wait_ms(10);
	assert_failed(1, ERR_TEMPORARY, HTTP_LOST, "");
	assert_int_equal(universal_double.nonces, 4);
}

static void test_who_asks_us_to_slow_down_is_obeyed_by_all(void **state)
{
	(void)state;
	universal_double.status = 429;
	universal_double.retry_after_s = 40;
	get(0);
	wait_ms(10);
	assert_failed(0, ERR_TEMPORARY, 429, "");
	assert_int_equal(service_quiet_ms(cloud, HOST_LOGIN) / 1000, 39);
	assert_int_equal(service_quiet_ms(cloud, HOST_PRINT), 0);
	universal_double.status = 0;
	get(0);
	wait_ms(39000);
	assert_int_equal(universal_double.nonces, 1);
	wait_ms(7000);
	assert_got(0, "token-1");
	token_refuse(token, waiters[0].got);
	universal_double.status = 429;
	universal_double.retry_after_s = 600;
	get(0);
	wait_ms(10);
	get(1); /* too long to wait for */
	wait_ms(10);
	assert_failed(1, ERR_TEMPORARY, 429, "slow down");
	assert_in_range(waiters[1].err.retry_after_s, 590, 601);
	assert_int_equal(universal_double.nonces, 3);
}

static void unusable(const char *answer)
{
	universal_double.answer = answer;
	get(0);
	wait_ms(10);
	assert_failed(0, ERR_TEMPORARY, 0, "no token");
}

static void test_an_unusable_token_is_an_error(void **state)
{
	(void)state;
	unusable("{}");
	unusable("{\"access_token\":\"\"}");
	unusable("{\"access_token\":\"a b\"}");
	unusable("{\"access_token\":\"a\\r\\nX: y\"}");
	unusable("{\"access_token\":\"x\",\"token_type\":\"pop\"}");
}

static void test_a_lost_key_or_certificate_is_told(void **state)
{
	(void)state;
	universal_write(universal_double.key_file, "junk", 0600);
	get(0);
	wait_ms(10);
	assert_failed(0, ERR_CORRUPT, 0, "key");
	assert_int_equal(unlink(universal_double.key_file), 0);
	get(0);
	wait_ms(10);
	assert_int_equal(waiters[0].err.kind, ERR_GONE);
	universal_write(universal_double.key_file, universal_double.key, 0600);
	get(0);
	wait_ms(10);
	assert_got(0, "token-1");
}

static void test_a_token_can_be_dropped_at_any_time(void **state)
{
	struct channel_settings settings = universal_settings();
	struct err err;

	(void)state;
	universal_double.delay_ms = 100;
	for (int ms = 0; ms < 300; ms += 50) {
		get(0);
		wait_ms(ms);
		token_leave(token, &waiters[0].wait);
		bearer_unref(TAKE(waiters[0].got));
		token_free(token);
		wait_ms(300);
		assert_int_equal(token_new(&token, cloud, &settings, &err), 0);
	}
	token_free(NULL);
}

static void refused(struct cloud_identity identity, const char *text)
{
	struct channel_settings settings = universal_settings();
	struct token *t = NULL;
	struct err err;

	settings.identity = &identity;
	assert_int_equal(token_new(&t, cloud, &settings, &err), -1);
	assert_null(t);
	assert_says(&err, text);
}

static void test_an_identity_that_leads_elsewhere_is_refused(void **state)
{
	struct cloud_identity i = universal_double.identity;
	struct channel_settings settings = universal_settings();
	struct token *t = NULL;
	struct err err;

	(void)state;
	(void)strncpy(i.token_url, "https://login.example.evil/t", sizeof(i.token_url) - 1);
	refused(i, "login-url");
	i.token_url[0] = '\0';
	refused(i, "register");
	i = universal_double.identity;
	i.device[0] = '\0';
	refused(i, "register");
	settings.key_file = NULL;
	assert_int_equal(token_new(&t, cloud, &settings, &err), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_jwt_is_that_of_the_document),
		TEST(test_a_jwt_needs_key_and_certificate),
		TEST(test_all_who_wait_get_one_token),
		TEST(test_who_left_is_not_called),
		TEST(test_it_is_renewed_before_it_ends_and_the_old_one_serves_meanwhile),
		TEST(test_its_life_is_what_is_said_within_reason),
		TEST(test_a_refused_one_is_replaced_once),
		TEST(test_a_failed_renewal_is_told_or_tried_again_in_time),
		TEST(test_a_refusal_is_tried_with_another_nonce_then_told),
		TEST(test_an_exchange_that_was_lost_with_its_connection_gets_another_nonce),
		TEST(test_who_asks_us_to_slow_down_is_obeyed_by_all),
		TEST(test_an_unusable_token_is_an_error),
		TEST(test_a_lost_key_or_certificate_is_told),
		TEST(test_a_token_can_be_dropped_at_any_time),
		TEST(test_an_identity_that_leads_elsewhere_is_refused),
	};

	return cmocka_run_group_tests(tests, universal_make, universal_drop);
}
