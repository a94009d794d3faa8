// The certificate authorities that this machine trusts.
#pragma once

// OpenSSL's, spelled out so that not everyone who asks has to read its headers.
using SSL_CTX = struct ssl_ctx_st;

namespace gpulse {

// Lets `context` trust what the system trusts: on Linux OpenSSL's default folder and file, on
// Windows the store "Trusted Root Certification Authorities". A system without any leaves it as it
// is.
void trust_system_certificates(SSL_CTX* context);

}  // namespace gpulse
