#include "platform/trusted_certificates.h"

#include <openssl/ssl.h>

namespace gpulse {

void trust_system_certificates(SSL_CTX* context) { SSL_CTX_set_default_verify_paths(context); }

}  // namespace gpulse
