// Reading connections to the ledger that are used again: opening one costs more than most of what
// it is asked.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "store/ledger_reader.h"

namespace gpulse {

// Any thread. Keeps as many connections as were in use at once.
class ReaderPool {
 public:
  // A connection, given back when the lease goes, which must be before the pool does. One thread.
  class Lease {
   public:
    Lease(ReaderPool& pool, std::unique_ptr<LedgerReader> reader)
        : pool_(&pool), reader_(std::move(reader)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    LedgerReader* operator->() { return reader_.get(); }

   private:
    ReaderPool* pool_;
    std::unique_ptr<LedgerReader> reader_;
  };

  // `file` is the ledger's, which need not be there yet.
  explicit ReaderPool(std::filesystem::path file) : file_(std::move(file)) {}

  // An idle connection, or a new one: the errors are of opening it.
  [[nodiscard]] Expected<Lease> lease();

 private:
  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<LedgerReader>> idle_;
};

}  // namespace gpulse
