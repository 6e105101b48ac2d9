// The terminal observer on spdlog, with a bar drawn by hand: one line that is written over.
#include "apps/cli/terminal.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <string>

namespace vaeguard::cli {
namespace {

volatile std::sig_atomic_t stop_requested = 0;

void request_stop(int signal) {
  stop_requested = 1;
  std::signal(signal, SIG_DFL);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

class TerminalObserver : public Observer {
 public:
  explicit TerminalObserver(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {
    std::signal(SIGINT, request_stop);
    std::signal(SIGTERM, request_stop);
    logger_ = spdlog::stderr_color_mt("vaeguard");
    logger_->set_pattern("%H:%M:%S %v");
  }
  ~TerminalObserver() override { clear(); }

  void progress(std::string_view task, std::int64_t done, std::int64_t total, std::string_view detail) override {
    const std::scoped_lock lock(mutex_);
    if (task != task_ || done < done_) {
      task_ = task;
      started_ = now();
      first_ = done;
    }
    done_ = done;
    if (quiet_ || !terminal_ || total <= 0) {
      return;
    }
    const double time = now();
    if (time - drawn_ < 0.1 && done < total) {
      return;
    }
    drawn_ = time;
    draw(done, total, detail, time - started_);
  }

  void message(std::string_view text) override {
    const std::scoped_lock lock(mutex_);
    if (!quiet_) {
      clear();
      logger_->info("{}", text);
    }
  }

  [[nodiscard]] bool interrupted() const override { return stop_requested != 0; }

 private:
  void draw(std::int64_t done, std::int64_t total, std::string_view detail, double elapsed) {
    constexpr int kWidth = 24;
    const double share = static_cast<double>(done) / static_cast<double>(total);
    const int full = static_cast<int>(share * kWidth);
    const std::int64_t advanced = done - first_;
    const double left =
        advanced > 0 ? elapsed * static_cast<double>(total - done) / static_cast<double>(advanced) : 0.0;
    std::string line = fmt::format("{} [{}{}] {:3.0f} %", task_, std::string(static_cast<std::size_t>(full), '#'),
                                   std::string(static_cast<std::size_t>(kWidth - full), '.'), 100.0 * share);
    line += advanced > 0 ? fmt::format("  {} left", duration_text(left)) : "";
    line += detail.empty() ? "" : fmt::format("  {}", detail);
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    drawn_line_ = true;
  }

  void clear() {
    if (drawn_line_) {
      fmt::print(stderr, "\r\033[K");
      std::fflush(stderr);
      drawn_line_ = false;
    }
  }

  bool quiet_;
  bool terminal_;
  std::shared_ptr<spdlog::logger> logger_;
  std::mutex mutex_;
  std::string task_;
  std::int64_t first_ = 0;
  std::int64_t done_ = 0;
  double started_ = 0.0;
  double drawn_ = 0.0;
  bool drawn_line_ = false;
};

}  // namespace

std::unique_ptr<Observer> make_terminal_observer(bool quiet) { return std::make_unique<TerminalObserver>(quiet); }

}  // namespace vaeguard::cli
