#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "platform/file_watcher.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

using windows::Handle;
using windows::kShareAll;

constexpr DWORD kEvents = FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_SIZE |
                          FILE_NOTIFY_CHANGE_LAST_WRITE | FILE_NOTIFY_CHANGE_CREATION;

// Names as NTFS compares them.
bool same_name(std::wstring_view a, std::wstring_view b) {
  return CompareStringOrdinal(a.data(), static_cast<int>(a.size()), b.data(),
                              static_cast<int>(b.size()), TRUE) == CSTR_EQUAL;
}

// Asks for the changes of the folder that the file is in, and picks those of its name.
class FolderWatcher final : public FileWatcher {
 public:
  explicit FolderWatcher(const std::filesystem::path& file)
      : folder_path_(file.parent_path().empty() ? "." : file.parent_path()),
        name_(file.filename().native()),
        called_(CreateEventW(nullptr, FALSE, FALSE, nullptr)),
        changed_(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {
    rearm();
  }
  ~FolderWatcher() override { close_folder(); }
  FolderWatcher(const FolderWatcher&) = delete;
  FolderWatcher& operator=(const FolderWatcher&) = delete;

  bool rearm() override {
    renamed_to_.clear();
    if (!folder_) {
      folder_ = Handle(CreateFileW(windows::openable(folder_path_).c_str(), FILE_LIST_DIRECTORY,
                                   kShareAll, nullptr, OPEN_EXISTING,
                                   FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, nullptr));
      if (folder_ && !ask()) folder_ = Handle();
    }
    return static_cast<bool>(folder_);
  }

  [[nodiscard]] bool tells_writes_at_once() const override { return false; }

  Woken wait(std::chrono::milliseconds timeout) override {
    const auto until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      const auto left = std::max(
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()),
          std::chrono::milliseconds{0});
      const std::array<HANDLE, 2> events{called_.get(), changed_.get()};
      const DWORD woken = WaitForMultipleObjects(folder_ ? 2 : 1, events.data(), FALSE,
                                                 static_cast<DWORD>(left.count()));
      if (woken == WAIT_OBJECT_0) return Woken::called;
      if (woken != WAIT_OBJECT_0 + 1) return Woken::timed_out;
      if (take_events()) return Woken::changed;
    }
  }

  void wake() override { SetEvent(called_.get()); }

 private:
  // The system fills the buffer and sets the event.
  bool ask() {
    ResetEvent(changed_.get());
    asked_ = OVERLAPPED{};
    asked_.hEvent = changed_.get();
    return ReadDirectoryChangesW(folder_.get(), buffer_.data(), static_cast<DWORD>(buffer_.size()),
                                 FALSE, kEvents, nullptr, &asked_, nullptr) != 0;
  }

  // Whether one of the events that came is of our file. A folder that tells no more, because it is
  // gone, is let go of: that is a change, too.
  bool take_events() {
    DWORD bytes = 0;
    const bool told = GetOverlappedResult(folder_.get(), &asked_, &bytes, FALSE) != 0;
    // None: more happened than fits.
    bool ours = !told || bytes == 0 || any_of_ours(bytes);
    if (!told || !ask()) {
      ResetEvent(changed_.get());
      folder_ = Handle();
      ours = true;
    }
    return ours;
  }

  bool any_of_ours(DWORD bytes) {
    bool ours = false;
    bool renaming = false;
    for (std::size_t at = 0; at < bytes;) {
      FILE_NOTIFY_INFORMATION event{};
      std::memcpy(&event, buffer_.data() + at, offsetof(FILE_NOTIFY_INFORMATION, FileName));
      std::wstring name(event.FileNameLength / sizeof(wchar_t), L'\0');
      std::memcpy(name.data(), buffer_.data() + at + offsetof(FILE_NOTIFY_INFORMATION, FileName),
                  event.FileNameLength);
      if (event.Action == FILE_ACTION_RENAMED_NEW_NAME && renaming) renamed_to_ = name;
      // Another file has the name: what had it before is watched no more.
      const bool comes =
          event.Action == FILE_ACTION_ADDED || event.Action == FILE_ACTION_RENAMED_NEW_NAME;
      if (comes && same_name(name, name_)) renamed_to_.clear();
      const bool is_ours =
          same_name(name, name_) || (!renamed_to_.empty() && same_name(name, renamed_to_));
      renaming = event.Action == FILE_ACTION_RENAMED_OLD_NAME && is_ours;
      ours = ours || is_ours;
      if (event.NextEntryOffset == 0) break;
      at += event.NextEntryOffset;
    }
    return ours;
  }

  // The buffer is the system's until the request has ended.
  void close_folder() {
    if (!folder_) return;
    DWORD bytes = 0;
    if (CancelIoEx(folder_.get(), &asked_) != 0) {
      GetOverlappedResult(folder_.get(), &asked_, &bytes, TRUE);
    }
    folder_ = Handle();
  }

  const std::filesystem::path folder_path_;
  const std::wstring name_;
  std::wstring renamed_to_;  // where the file that had the name went
  const Handle called_;
  const Handle changed_;
  Handle folder_;
  OVERLAPPED asked_{};
  alignas(DWORD) std::array<char, 16384> buffer_{};
};

}  // namespace

std::unique_ptr<FileWatcher> FileWatcher::watch(const std::filesystem::path& file) {
  return std::make_unique<FolderWatcher>(file);
}

}  // namespace gpulse
