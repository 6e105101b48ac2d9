# Installation: find_package(vaeguard) gives vaeguard::<folder> targets, headers and the program.
include(CMakePackageConfigHelpers)

get_property(vaeguard_layers GLOBAL PROPERTY VAEGUARD_LAYERS)
install(TARGETS ${vaeguard_layers} EXPORT vaeguard ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
set_target_properties(vaeguard PROPERTIES INSTALL_RPATH "\$ORIGIN/../${VAEGUARD_PLUGIN_DIR}")
install(TARGETS vaeguard RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Headers of folders that are not installed, and those whose first line says that they are for sources only, stay at home.
file(GLOB_RECURSE headers RELATIVE "${PROJECT_SOURCE_DIR}" CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/vaeguard/*.h")
foreach(header IN LISTS headers)
  file(STRINGS "${PROJECT_SOURCE_DIR}/${header}" role LIMIT_COUNT 1)
  get_filename_component(folder "${header}" DIRECTORY)
  string(REGEX MATCH "^vaeguard/([a-z]+)" layer "${folder}")
  if("vaeguard_${CMAKE_MATCH_1}" IN_LIST vaeguard_layers AND NOT role MATCHES "for the sources of (this folder|the library) only")
    install(FILES "${PROJECT_SOURCE_DIR}/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/${folder}")
  endif()
endforeach()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/vaeguard)
install(EXPORT vaeguard NAMESPACE vaeguard:: FILE vaeguard-targets.cmake DESTINATION ${package_folder})
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/vaeguard-config.cmake.in"
                              "${PROJECT_BINARY_DIR}/vaeguard-config.cmake" INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/vaeguard-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/vaeguard-config.cmake" "${PROJECT_BINARY_DIR}/vaeguard-config-version.cmake"
        DESTINATION ${package_folder})
