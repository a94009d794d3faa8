#include "platform/trusted_certificates.h"

#include <windows.h>
// After windows.h, whose types it uses.
#include <wincrypt.h>
// After wincrypt.h, some of whose macros have OpenSSL's names.
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace gpulse {

void trust_system_certificates(SSL_CTX* context) {
  const HCERTSTORE store = CertOpenSystemStoreW(0, L"ROOT");
  if (store == nullptr) return;
  X509_STORE* const trusted = SSL_CTX_get_cert_store(context);
  PCCERT_CONTEXT found = nullptr;
  while ((found = CertEnumCertificatesInStore(store, found)) != nullptr) {
    const unsigned char* bytes = found->pbCertEncoded;
    X509* const certificate = d2i_X509(nullptr, &bytes, static_cast<long>(found->cbCertEncoded));
    if (certificate == nullptr) continue;
    X509_STORE_add_cert(trusted, certificate);
    X509_free(certificate);
  }
  CertCloseStore(store, 0);
}

}  // namespace gpulse
