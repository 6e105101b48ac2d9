// Runs the built program as a user would, in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace vaeguard::cli {

struct Ended {
  int code = -1;  // exit code, or -signal
  std::string output;
  std::string errors;
  double processor_seconds = 0.0;
  double peak_megabytes = 0.0;
};

inline std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A fresh folder for the running test.
inline std::filesystem::path fresh_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = std::filesystem::path(testing::TempDir()) / (std::string("cli-") + test->name());
  remove_all(folder);
  create_directories(folder);
  return folder;
}

/// Starts the program with its output in `folder`/out and `folder`/err; returns its process.
inline pid_t start(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  const pid_t child = fork();
  if (child == 0) {
    if (freopen((folder / "out").c_str(), "w", stdout) == nullptr ||
        freopen((folder / "err").c_str(), "w", stderr) == nullptr) {
      _exit(99);
    }
    std::vector<char*> words{const_cast<char*>(VAEGUARD_PROGRAM)};
    for (const std::string& argument : arguments) {
      words.push_back(const_cast<char*>(argument.c_str()));
    }
    words.push_back(nullptr);
    execv(VAEGUARD_PROGRAM, words.data());
    _exit(98);
  }
  return child;
}

inline Ended wait_for(const std::filesystem::path& folder, pid_t child) {
  int status = 0;
  rusage used{};
  wait4(child, &status, 0, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), content(folder / "out"), content(folder / "err"),
          seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) / 1024.0};
}

inline Ended run(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  return wait_for(folder, start(folder, arguments));
}

}  // namespace vaeguard::cli
