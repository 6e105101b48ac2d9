# Installs the built tree into a fresh folder, builds examples/consumer against it and runs it and the program.
# Called with -DBUILD=<build folder> -DSOURCE=<source folder> -DWORK=<scratch folder> -DFLAGS=<compiler flags>.
file(REMOVE_RECURSE "${WORK}")

function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "failed (${code}): ${ARGN}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

step(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${WORK}/prefix")
step(${CMAKE_COMMAND} -S "${SOURCE}/examples/consumer" -B "${WORK}/consumer" -G Ninja -DCMAKE_BUILD_TYPE=Release
     "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_FLAGS=${FLAGS}")
step(${CMAKE_COMMAND} --build "${WORK}/consumer")
step("${WORK}/consumer/consumer")
if(NOT output MATCHES "class 9: brightness 0\\.[0-9]+, exactly")
  message(FATAL_ERROR "the consumer must print a brightness for each class, it printed\n${output}")
endif()
step("${WORK}/prefix/bin/vaeguard" list)
if(NOT output MATCHES "mnist")
  message(FATAL_ERROR "the installed program must list mnist, it printed\n${output}")
endif()
