#include <fmt/format.h>
#include <windows.h>
// After windows.h, whose types it uses.
#include <aclapi.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "platform/file.h"
#include "platform/secret_file.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

struct FreeLocal {
  void operator()(void* memory) const { LocalFree(memory); }
};
template <class T>
using Local = std::unique_ptr<T, FreeLocal>;

bool may_read(const ACCESS_ALLOWED_ACE& entry) {
  return entry.Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
         (entry.Header.AceFlags & INHERIT_ONLY_ACE) == 0 &&
         (entry.Mask & (FILE_READ_DATA | GENERIC_READ | GENERIC_ALL)) != 0;
}

// From these nothing can be kept, or need be.
bool may_know(PSID sid, PSID owner, PSID user) {
  return EqualSid(sid, owner) != 0 || (user != nullptr && EqualSid(sid, user) != 0) ||
         IsWellKnownSid(sid, WinLocalSystemSid) != 0 ||
         IsWellKnownSid(sid, WinBuiltinAdministratorsSid) != 0 ||
         IsWellKnownSid(sid, WinCreatorOwnerRightsSid) != 0;
}

// "icacls "C:\token" /inheritance:r /grant:r "PC\anna:F" /remove:g "Everyone""
std::string cure_of(const std::filesystem::path& file, PSID user, const std::string& other) {
  return fmt::format(R"(icacls "{}" /inheritance:r /grant:r "{}:F" /remove:g "{}{}")",
                     display(file), user == nullptr ? "%USERNAME%" : windows::account_name(user),
                     other.starts_with("S-1-") ? "*" : "", other);
}

Expected<void> not_kept(const std::filesystem::path& path, DWORD code) {
  return operation_error(
      fmt::format("cannot keep {} to its owner: {}", display(path), windows::message_of(code)));
}

}  // namespace

std::optional<OtherReaders> other_readers(const std::filesystem::path& file) {
  PSID owner = nullptr;
  PACL list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  std::wstring name = windows::openable(file);
  const DWORD failed = GetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT,
                                             OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                             &owner, nullptr, &list, nullptr, &descriptor);
  const Local<void> owned(descriptor);
  if (failed != ERROR_SUCCESS) {
    return OtherReaders{
        "others", fmt::format("its access list cannot be read ({})", windows::message_of(failed))};
  }
  if (list == nullptr) {
    return OtherReaders{"everyone",
                        "its drive keeps no access lists; put it on one that does (NTFS)"};
  }
  std::vector<std::byte> self = windows::own_sid();
  PSID const user = self.empty() ? nullptr : self.data();
  for (DWORD i = 0; i < list->AceCount; ++i) {
    void* entry = nullptr;
    if (GetAce(list, i, &entry) == 0) continue;
    auto* const allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    if (!may_read(*allowed)) continue;
    PSID const sid = &allowed->SidStart;
    if (may_know(sid, owner, user)) continue;
    std::string other = windows::account_name(sid);
    std::string cure = cure_of(file, user, other);
    return OtherReaders{std::move(other), std::move(cure)};
  }
  return std::nullopt;
}

Expected<void> keep_to_owner(const std::filesystem::path& path) {
  std::vector<std::byte> self = windows::own_sid();
  if (self.empty()) return not_kept(path, GetLastError());
  EXPLICIT_ACCESS_W all{};
  all.grfAccessPermissions = FILE_ALL_ACCESS;
  all.grfAccessMode = SET_ACCESS;
  all.grfInheritance = SUB_CONTAINERS_AND_OBJECTS_INHERIT;
  BuildTrusteeWithSidW(&all.Trustee, self.data());
  PACL list = nullptr;
  if (const DWORD code = SetEntriesInAclW(1, &all, nullptr, &list); code != ERROR_SUCCESS) {
    return not_kept(path, code);
  }
  const Local<ACL> owned(list);
  SECURITY_DESCRIPTOR descriptor;
  InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION);
  SetSecurityDescriptorDacl(&descriptor, TRUE, list, FALSE);
  SetSecurityDescriptorControl(&descriptor, SE_DACL_PROTECTED, SE_DACL_PROTECTED);
  // Not SetNamedSecurityInfoW, which asks the folder what to take over.
  if (SetFileSecurityW(windows::openable(path).c_str(), DACL_SECURITY_INFORMATION, &descriptor) ==
      0) {
    return not_kept(path, GetLastError());
  }
  return {};
}

}  // namespace gpulse
