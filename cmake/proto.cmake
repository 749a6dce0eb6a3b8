# troupe_proto: every proto/*.proto, compiled to C++ messages and gRPC stubs, included as "proto/NAME.pb.h".
find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
file(GLOB proto_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/proto/*.proto)
set(generated_dir ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated_dir})
set(proto_sources "")
foreach(proto_file ${proto_files})
  get_filename_component(stem ${proto_file} NAME_WE)
  set(outputs ${generated_dir}/proto/${stem}.pb.cc ${generated_dir}/proto/${stem}.pb.h)
  set(grpc_arguments "")
  file(STRINGS ${proto_file} services REGEX "^service ")
  if(services)
    list(APPEND outputs ${generated_dir}/proto/${stem}.grpc.pb.cc ${generated_dir}/proto/${stem}.grpc.pb.h)
    set(grpc_arguments --grpc_out=generate_mock_code=false:${generated_dir} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
  endif()
  add_custom_command(OUTPUT ${outputs}
    COMMAND ${PROTOC} -I${PROJECT_SOURCE_DIR} --cpp_out=${generated_dir} ${grpc_arguments} ${proto_file}
    DEPENDS ${proto_files} VERBATIM)
  list(APPEND proto_sources ${outputs})
endforeach()
# Messages, fields and their comments, for common/config/proto_comments.cc.
set(settings_set ${generated_dir}/experiment.protoset)
add_custom_command(OUTPUT ${settings_set}
  COMMAND ${PROTOC} -I${PROJECT_SOURCE_DIR} --include_source_info --include_imports --descriptor_set_out=${settings_set}
          ${PROJECT_SOURCE_DIR}/proto/experiment.proto
  DEPENDS ${proto_files} VERBATIM)
list(FILTER proto_sources INCLUDE REGEX "\\.cc$")
add_library(troupe_proto STATIC ${proto_sources})
target_include_directories(troupe_proto SYSTEM PUBLIC ${generated_dir})
target_link_libraries(troupe_proto PUBLIC protobuf::libprotobuf gRPC::grpc++ gRPC::grpc++_reflection)
