file(GLOB benches CONFIGURE_DEPENDS bench/*_bench.cpp)
foreach(source ${benches})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE recombine_src benchmark::benchmark MPI::MPI_C DNNL::dnnl OpenBLAS::openblas)
  target_compile_definitions(${name} PRIVATE OMPI_SKIP_MPICXX)
endforeach()

# A peer, if it is installed, and only on request: cmake --build build --target pdgemm_bench
find_library(SCALAPACK_LIBRARY scalapack-openmpi)
find_library(OPENBLAS_LIBRARY openblas PATH_SUFFIXES openblas-openmp)
if(SCALAPACK_LIBRARY AND OPENBLAS_LIBRARY)
  add_executable(pdgemm_bench EXCLUDE_FROM_ALL bench/peers/pdgemm_bench.cpp)
  target_link_libraries(pdgemm_bench PRIVATE recombine_src ${OPENBLAS_LIBRARY} ${SCALAPACK_LIBRARY} MPI::MPI_C)
  target_compile_definitions(pdgemm_bench PRIVATE OMPI_SKIP_MPICXX)
endif()

# Measurements that need a GPU. tests/gpu_check.sh runs them.
add_script_test(gpu_check_limits bench/gpu/gpu_check_test.py ${PROJECT_SOURCE_DIR})
if(RECOMBINE_WITH_CUDA)
  file(GLOB sources CONFIGURE_DEPENDS bench/gpu/*.cpp)
  add_executable(gpu_bench ${sources})
  target_link_libraries(gpu_bench PRIVATE recombine_src)
  if("${gpu_tests}" STREQUAL "emulated")  # checks that the script and the programs work
    add_test(NAME gpu_check.emulated COMMAND ${PROJECT_SOURCE_DIR}/tests/gpu_check.sh --build ${PROJECT_BINARY_DIR}
      --emulated --parts kernels,products,all_reduce,train --json ${PROJECT_BINARY_DIR}/gpu_check.emulated.jsonl)
    add_test(NAME gpu_check_pack.emulated COMMAND ${Python3_EXECUTABLE}
      ${PROJECT_SOURCE_DIR}/tests/bench/gpu/gpu_check_test.py ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
    set_tests_properties(gpu_check.emulated gpu_check_pack.emulated PROPERTIES
      LABELS emulated PROCESSORS 2 TIMEOUT ${default_timeout})
  endif()
endif()
