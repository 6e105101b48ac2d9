# One target a folder: vaeguard_layer(), and one test program a folder: vaeguard_tests().

# The headers that nearly every source includes, compiled once: all targets use what `vaeguard_precompiled` compiled, or
# for tests `vaeguard_precompiled_tests`. Only a target with flags of its own compiles them again.
set(precompiled_headers
    <algorithm> <cmath> <cstdint> <functional> <memory> <optional> <span> <string> <string_view> <vector> <fmt/format.h>
    "${PROJECT_SOURCE_DIR}/vaeguard/base/matrix.h" "${PROJECT_SOURCE_DIR}/vaeguard/base/observer.h"
    "${PROJECT_SOURCE_DIR}/vaeguard/base/option_schema.h" "${PROJECT_SOURCE_DIR}/vaeguard/base/registry.h")
set(precompiled_test_headers <gmock/gmock.h> <gtest/gtest.h> <filesystem> <numeric> ${precompiled_headers})
# What a test checks is in the libraries; its own code need not be fast.
set(test_flags $<$<CONFIG:Release>:-O1>)
add_library(vaeguard_precompiled OBJECT "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
set_target_properties(vaeguard_precompiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_link_libraries(vaeguard_precompiled PRIVATE vaeguard_settings fmt::fmt)
target_include_directories(vaeguard_precompiled PRIVATE "${PROJECT_SOURCE_DIR}")
target_precompile_headers(vaeguard_precompiled PRIVATE ${precompiled_headers})
if(VAEGUARD_TESTS)
  find_package(GTest REQUIRED)
  add_library(vaeguard_precompiled_tests OBJECT "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
  target_compile_options(vaeguard_precompiled_tests PRIVATE ${test_flags})
  target_link_libraries(vaeguard_precompiled_tests PRIVATE vaeguard_settings GTest::gmock fmt::fmt)
  target_include_directories(vaeguard_precompiled_tests PRIVATE "${PROJECT_SOURCE_DIR}")
  target_precompile_headers(vaeguard_precompiled_tests PRIVATE ${precompiled_test_headers})
endif()

# vaeguard_layer(NAME [USES folder...] [LIBRARIES target...] [NOT_INSTALLED] [OWN_FLAGS]): the library vaeguard::NAME from
# this folder's sources.
# USES names the only folders that its includes may reach (tools/check-layers reads them too); OWN_FLAGS says that the
# folder is compiled with flags that others do not have.
function(vaeguard_layer name)
  cmake_parse_arguments(ARG "NOT_INSTALLED;OWN_FLAGS" "" "USES;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  add_library(vaeguard_${name} STATIC ${sources})
  add_library(vaeguard::${name} ALIAS vaeguard_${name})
  set_target_properties(vaeguard_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(vaeguard_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                     $<INSTALL_INTERFACE:include>)
  target_compile_features(vaeguard_${name} PUBLIC cxx_std_20)
  target_link_libraries(vaeguard_${name} PRIVATE $<BUILD_INTERFACE:vaeguard_settings>)
  foreach(folder IN LISTS ARG_USES)
    target_link_libraries(vaeguard_${name} PUBLIC vaeguard_${folder})
  endforeach()
  target_link_libraries(vaeguard_${name} PUBLIC ${ARG_LIBRARIES} PRIVATE ${ARG_PRIVATE_LIBRARIES})
  if(ARG_OWN_FLAGS)
    target_precompile_headers(vaeguard_${name} PRIVATE ${precompiled_headers})
  else()
    target_precompile_headers(vaeguard_${name} REUSE_FROM vaeguard_precompiled)
  endif()
  if(NOT ARG_NOT_INSTALLED)
    set_property(GLOBAL APPEND PROPERTY VAEGUARD_LAYERS vaeguard_${name})
  endif()
endfunction()

# The longest that a whole program may take in a test.
set(VAEGUARD_E2E_SECONDS 600)
if(VAEGUARD_SANITIZE)
  set(VAEGUARD_E2E_SECONDS 3600)
endif()

# vaeguard_tests(FOLDER LIBRARIES target... [OWN_FLAGS]): one program FOLDER_test from tests/FOLDER/*_test.cpp, found by ctest.
# A test whose suite is named *Statistical* carries the label statistical, *EndToEnd* carries e2e, all others fast.
function(vaeguard_tests folder)
  cmake_parse_arguments(ARG "OWN_FLAGS" "" "LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${folder}_test ${sources})
  target_include_directories(${folder}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${folder}_test PRIVATE vaeguard_settings ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${folder}_test PRIVATE VAEGUARD_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                                    VAEGUARD_PROGRAM="$<TARGET_FILE:vaeguard>")
  target_compile_options(${folder}_test PRIVATE ${test_flags})
  if(ARG_OWN_FLAGS)
    target_precompile_headers(${folder}_test PRIVATE ${precompiled_test_headers})
  else()
    target_precompile_headers(${folder}_test REUSE_FROM vaeguard_precompiled_tests)
  endif()
  gtest_discover_tests(${folder}_test TEST_FILTER "-*Statistical*:*EndToEnd*" PROPERTIES LABELS fast
                       DISCOVERY_MODE PRE_TEST)
  gtest_discover_tests(${folder}_test TEST_FILTER "*Statistical*" PROPERTIES LABELS statistical TEST_LIST
                       ${folder}_statistical DISCOVERY_MODE PRE_TEST)
  gtest_discover_tests(${folder}_test TEST_FILTER "*EndToEnd*" PROPERTIES LABELS e2e
                       TIMEOUT ${VAEGUARD_E2E_SECONDS}
                       TEST_LIST ${folder}_e2e DISCOVERY_MODE PRE_TEST)
endfunction()
