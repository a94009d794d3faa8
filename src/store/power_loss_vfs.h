// For tests only: a file layer under SQLite that knows what of each file is on the disk itself and
// what the system has only promised to write, so that a power loss can be played at any moment.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpulse {

// What a power loss leaves of the files. Not thread-safe.
class FragileDisk {
 public:
  // How much of what was promised has come to be written all the same.
  enum class Loss { everything, from_some_point, scattered };

  // Whether there is room for one more write.
  std::function<bool()> has_room = [] { return true; };
  // Called before every change of a file and every flush: the moments at which the power may go.
  std::function<void()> on_operation = [] {};

  void opened(const std::string& path, bool names_folder_at_sync) {
    File& file = files_[path];
    if (file.removed) file = {};
    file.syncs_folder = file.syncs_folder || names_folder_at_sync;
  }
  void write(const std::string& path, std::int64_t offset, std::string_view bytes) {
    on_operation();
    files_[path].promised.push_back({offset, std::string(bytes), false});
  }
  void truncate(const std::string& path, std::int64_t size) {
    on_operation();
    files_[path].promised.push_back({size, {}, true});
  }
  void sync(const std::string& path) {
    on_operation();
    File& file = files_[path];
    for (const Change& change : file.promised) apply(file.durable, change);
    file.promised.clear();
    // As SQLite's layer does for a new journal: with it the names of its folder.
    if (file.syncs_folder) sync_names();
  }
  void remove(const std::string& path, bool then_sync_folder) {
    on_operation();
    files_[path].removed = true;
    if (then_sync_folder) sync_names();
  }

  // Writes the files that a power loss now would leave into `folder`.
  void lose_power(Loss loss, std::uint64_t seed, const std::filesystem::path& folder) const {
    std::mt19937_64 random(seed);
    for (const auto& [path, file] : files_) {
      const bool names_written = loss != Loss::everything && random() % 2 == 0;
      if (names_written ? file.removed : !file.named) continue;
      std::string content = file.durable;
      apply_some(content, file.promised, loss, random);
      std::ofstream out(folder / std::filesystem::path(path).filename(), std::ios::binary);
      out.write(content.data(), static_cast<std::streamsize>(content.size()));
    }
  }

 private:
  // Bytes within one of these are written together or not at all.
  static constexpr std::int64_t kSectorBytes = 512;

  struct Change {
    std::int64_t offset = 0;  // of a truncation: the new size
    std::string bytes;
    bool truncates = false;
  };
  struct File {
    std::string durable;
    std::vector<Change> promised;
    bool named = false;  // its entry in the folder is on the disk
    bool removed = false;  // that entry is to go
    bool syncs_folder = false;
  };

  void sync_names() {
    std::erase_if(files_, [](const auto& file) { return file.second.removed; });
    for (auto& [path, file] : files_) file.named = true;
  }

  static void apply(std::string& content, const Change& change) {
    const auto offset = static_cast<std::size_t>(change.offset);
    if (change.truncates) return content.resize(offset);
    content.resize(std::max(content.size(), offset + change.bytes.size()));
    content.replace(offset, change.bytes.size(), change.bytes);
  }

  static void apply_some(std::string& content, const std::vector<Change>& promised, Loss loss,
                         std::mt19937_64& random) {
    if (loss == Loss::everything) return;
    if (loss == Loss::from_some_point) {
      const std::size_t kept = random() % (promised.size() + 1);
      for (std::size_t i = 0; i < kept; ++i) apply(content, promised[i]);
      return;
    }
    const std::uint64_t share = 1 + random() % 9;  // of ten
    for (const Change& change : promised) {
      for (const Change& sector : sectors_of(change)) {
        if (random() % 10 < share) apply(content, sector);
      }
    }
  }

  static std::vector<Change> sectors_of(const Change& change) {
    if (change.truncates) return {change};
    std::vector<Change> sectors;
    const auto size = static_cast<std::int64_t>(change.bytes.size());
    for (std::int64_t at = 0; at < size;) {
      const std::int64_t until =
          std::min(size, at + kSectorBytes - (change.offset + at) % kSectorBytes);
      sectors.push_back(
          {change.offset + at,
           change.bytes.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(until - at)),
           false});
      at = until;
    }
    return sectors;
  }

  std::map<std::string, File> files_;
};

// Puts a disk under all databases that this process opens, for as long as it lives. One at a time.
class FragileVfs {
 public:
  explicit FragileVfs(FragileDisk& disk)
      : disk_(disk), real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.pAppData = this;
    vfs_.zName = "fragile";
    vfs_.szOsFile = static_cast<int>(sizeof(Handle)) + real_->szOsFile;
    vfs_.xOpen = open;
    vfs_.xDelete = [](sqlite3_vfs* vfs, const char* name, int sync_folder) {
      const FragileVfs& own = self(vfs);
      own.disk_.remove(name, sync_folder != 0);
      return own.real_->xDelete(own.real_, name, sync_folder);
    };
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FragileVfs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
  }
  FragileVfs(const FragileVfs&) = delete;
  FragileVfs& operator=(const FragileVfs&) = delete;

 private:
  static FragileVfs& self(sqlite3_vfs* vfs) { return *static_cast<FragileVfs*>(vfs->pAppData); }

  // What SQLite holds: this, and behind it the real layer's own.
  struct Handle : sqlite3_file {
    FragileDisk* disk;
    std::string* path;  // null for files without a name, which do not outlive the process anyway
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static Handle& handle(sqlite3_file* file) { return *static_cast<Handle*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return handle(file).real(); }

  static int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
                  int* flags_out) {
    Handle& opened = handle(file);
    opened.pMethods = nullptr;
    const bool is_new = name != nullptr && !std::filesystem::exists(name);
    const FragileVfs& own = self(vfs);
    const int result = own.real_->xOpen(own.real_, name, opened.real(), flags, flags_out);
    if (result != SQLITE_OK) return result;
    opened.pMethods = &methods();
    opened.disk = &own.disk_;
    opened.path = name != nullptr ? new std::string(name) : nullptr;
    const bool journal = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    if (name != nullptr) opened.disk->opened(*opened.path, journal && is_new);
    return SQLITE_OK;
  }

  static int close(sqlite3_file* file) {
    const int result = real(file)->pMethods->xClose(real(file));
    delete handle(file).path;
    return result;
  }
  static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    Handle& to = handle(file);
    if (to.path != nullptr) {
      if (!to.disk->has_room()) return SQLITE_FULL;
      to.disk->write(*to.path, offset,
                     {static_cast<const char*>(data), static_cast<std::size_t>(size)});
    }
    return real(file)->pMethods->xWrite(real(file), data, size, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (handle(file).path != nullptr) handle(file).disk->truncate(*handle(file).path, size);
    return real(file)->pMethods->xTruncate(real(file), size);
  }
  // Nothing has to reach the real disk.
  static int sync(sqlite3_file* file, int /*flags*/) {
    if (handle(file).path != nullptr) handle(file).disk->sync(*handle(file).path);
    return SQLITE_OK;
  }

  static const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = close,
        .xRead =
            [](sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
              return real(file)->pMethods->xRead(real(file), data, size, offset);
            },
        .xWrite = write,
        .xTruncate = truncate,
        .xSync = sync,
        .xFileSize =
            [](sqlite3_file* file, sqlite3_int64* size) {
              return real(file)->pMethods->xFileSize(real(file), size);
            },
        .xLock = [](sqlite3_file* file,
                    int lock) { return real(file)->pMethods->xLock(real(file), lock); },
        .xUnlock = [](sqlite3_file* file,
                      int lock) { return real(file)->pMethods->xUnlock(real(file), lock); },
        .xCheckReservedLock =
            [](sqlite3_file* file, int* held) {
              return real(file)->pMethods->xCheckReservedLock(real(file), held);
            },
        .xFileControl =
            [](sqlite3_file* file, int what, void* argument) {
              return real(file)->pMethods->xFileControl(real(file), what, argument);
            },
        .xSectorSize =
            [](sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); },
        .xDeviceCharacteristics =
            [](sqlite3_file* file) {
              return real(file)->pMethods->xDeviceCharacteristics(real(file));
            },
        .xShmMap =
            [](sqlite3_file* file, int region, int size, int extend, void volatile** out) {
              return real(file)->pMethods->xShmMap(real(file), region, size, extend, out);
            },
        .xShmLock =
            [](sqlite3_file* file, int offset, int n, int flags) {
              return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
            },
        .xShmBarrier = [](sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); },
        .xShmUnmap = [](sqlite3_file* file,
                        int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); },
        .xFetch = nullptr,
        .xUnfetch = nullptr,
    };
    return methods;
  }

  FragileDisk& disk_;
  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
};

}  // namespace gpulse
