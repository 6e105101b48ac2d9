// Progress and messages leave the library through an observer; the library itself never prints.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace vaeguard {

/// What a long computation reports to its caller. The default does nothing. Calls may come from several threads, one at
/// a time.
class Observer {
 public:
  virtual ~Observer() = default;
  /// `task` has completed `done` of `total` units; `detail` is a short text such as a loss.
  virtual void progress(std::string_view /*task*/, std::int64_t /*done*/, std::int64_t /*total*/,
                        std::string_view /*detail*/) {}
  /// A line for the log.
  virtual void message(std::string_view /*text*/) {}
  /// True once the caller wants the work to stop (Ctrl-C); it then throws Interrupted at the next safe point.
  [[nodiscard]] virtual bool interrupted() const { return false; }
};

/// An observer that ignores everything, for callers that pass none.
Observer& silent_observer();

/// Thrown at a safe point after Observer::interrupted(); everything finished by then is kept. Exit code 130.
class Interrupted : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace vaeguard
