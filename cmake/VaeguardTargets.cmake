# One target a folder: vaeguard_layer(), and one test program a folder: vaeguard_tests().

# vaeguard_layer(NAME [USES folder...] [LIBRARIES target...] [NOT_INSTALLED]): the library vaeguard::NAME from this
# folder's sources.
# USES names the only folders that its includes may reach (tools/check-layers reads them too).
function(vaeguard_layer name)
  cmake_parse_arguments(ARG "NOT_INSTALLED" "" "USES;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
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
  target_precompile_headers(vaeguard_${name} PRIVATE <algorithm> <cmath> <cstdint> <functional> <memory> <span>
                                                     <string> <string_view> <vector> <fmt/format.h>)
  if(NOT ARG_NOT_INSTALLED)
    set_property(GLOBAL APPEND PROPERTY VAEGUARD_LAYERS vaeguard_${name})
  endif()
endfunction()

# The longest that a whole program may take in a test.
set(VAEGUARD_E2E_SECONDS 600)
if(VAEGUARD_SANITIZE)
  set(VAEGUARD_E2E_SECONDS 3600)
endif()

# vaeguard_tests(FOLDER LIBRARIES target...): one program FOLDER_test from tests/FOLDER/*_test.cpp, found by ctest.
# A test whose suite is named *Statistical* carries the label statistical, *EndToEnd* carries e2e, all others fast.
function(vaeguard_tests folder)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${folder}_test ${sources})
  target_include_directories(${folder}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${folder}_test PRIVATE vaeguard_settings ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${folder}_test PRIVATE VAEGUARD_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                                    VAEGUARD_PROGRAM="$<TARGET_FILE:vaeguard>")
  target_precompile_headers(${folder}_test PRIVATE <gmock/gmock.h> <gtest/gtest.h> <cmath> <string> <vector>)
  gtest_discover_tests(${folder}_test TEST_FILTER "-*Statistical*:*EndToEnd*" PROPERTIES LABELS fast
                       DISCOVERY_MODE PRE_TEST)
  gtest_discover_tests(${folder}_test TEST_FILTER "*Statistical*" PROPERTIES LABELS statistical TEST_LIST
                       ${folder}_statistical DISCOVERY_MODE PRE_TEST)
  gtest_discover_tests(${folder}_test TEST_FILTER "*EndToEnd*" PROPERTIES LABELS e2e
                       TIMEOUT ${VAEGUARD_E2E_SECONDS}
                       TEST_LIST ${folder}_e2e DISCOVERY_MODE PRE_TEST)
endfunction()
