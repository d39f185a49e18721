/* What is sealed: a random nonce, the secret's bytes, the tag. */
#include "connector/base/crypto_vault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/fs.h"
#include "common/util.h"
#include "connector/base/crypto.h"
#include "connector/base/secret.h"

#define KEY_LEN   32
#define NONCE_LEN 12
#define TAG_LEN   16

struct vault {
	unsigned char key[KEY_LEN];
};

static int make_key(const char *path, struct err *err)
{
	AUTO(free_str) char *dir = xstrdup(path);
	AUTO(close_fd) int fd = -1;
	char *slash = strrchr(dir, '/');
	unsigned char key[KEY_LEN];
	int rc;

	if (!slash)
		return err_set(err, ERR_REJECTED, 0, "%s: not an absolute path", path);
	*slash = '\0';
	if (fs_open_dir(dir, 0700, true, &fd, err) < 0)
		return -1;
	crypto_random(key, sizeof(key));
	rc = fs_replace(fd, slash + 1, key, sizeof(key), 0600, err);
	wipe(key, sizeof(key));
	return rc;
}

static int read_key(const char *path, struct vault *v, struct err *err)
{
	AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "open %s", path);
	if (st.st_mode & 077)
		return err_set(err, ERR_CORRUPT, 0, "others may read %s: chmod 600", path);
	if (st.st_size != KEY_LEN || read(fd, v->key, KEY_LEN) != KEY_LEN)
		return err_set(err, ERR_CORRUPT, 0,
		               "%s is not a key: remove it, and print jobs with a PIN again", path);
	return 0;
}

int vault_load(struct vault **ret, const char *path, struct err *err)
{
	struct vault *v;

	if (access(path, F_OK) < 0 && errno == ENOENT && make_key(path, err) < 0)
		return -1;
	v = secret_alloc(sizeof(*v));
	if (read_key(path, v, err) < 0) {
		secret_free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

void vault_free(struct vault *v)
{
	secret_free(v);
}

int vault_seal(const struct vault *v, const void *secret, size_t len, void *out, size_t *ret_len,
               struct err *err)
{
	unsigned char *nonce = out, *body = nonce + NONCE_LEN;
	EVP_CIPHER_CTX *ctx;
	int n = 0, rest = 0;
	bool ok;

	if (!v)
		return err_set(err, ERR_REJECTED, 0, "a secret cannot be kept here");
	if (len > VAULT_SEALED_MAX)
		return err_set(err, ERR_REJECTED, 0, "a secret of %zu bytes is too long", len);
	ctx = EVP_CIPHER_CTX_new();
	crypto_random(nonce, NONCE_LEN);
	ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, v->key, nonce) == 1 &&
	     EVP_EncryptUpdate(ctx, body, &n, secret, (int)len) == 1 &&
	     EVP_EncryptFinal_ex(ctx, body + n, &rest) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, body + len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		return err_set(err, ERR_TEMPORARY, 0, "cannot encrypt a secret");
	*ret_len = NONCE_LEN + len + TAG_LEN;
	return 0;
}

int vault_unseal(const struct vault *v, const void *sealed, size_t len, void *out, size_t *ret_len,
                 struct err *err)
{
	const unsigned char *nonce = sealed, *body = nonce + NONCE_LEN;
	unsigned char tag[TAG_LEN];
	EVP_CIPHER_CTX *ctx;
	size_t plain;
	int n = 0, rest = 0;
	bool ok;

	if (!v || len < NONCE_LEN + TAG_LEN || len > VAULT_SECRET_MAX)
		return err_set(err, ERR_REJECTED, 0, "a secret cannot be read any more");
	plain = len - NONCE_LEN - TAG_LEN;
	memcpy(tag, body + plain, TAG_LEN);
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, v->key, nonce) == 1 &&
	     EVP_DecryptUpdate(ctx, out, &n, body, (int)plain) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, (unsigned char *)out + n, &rest) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok) {
		wipe(out, plain);
		return err_set(err, ERR_REJECTED, 0, "a secret cannot be read any more");
	}
	*ret_len = plain;
	return 0;
}
