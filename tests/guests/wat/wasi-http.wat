;; Imports WASI's HTTP: plugins have an `http` of their own, with grants.
(component
    (import "wasi:http/types@0.2.0" (instance
        (export "fields" (type $fields (sub resource)))
        (export "[constructor]fields" (func (result (own $fields))))))

    ;; Exported functions need names for their types, and only a component gives names.
    (component $plugin
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
            (data (i32.const 16) "wat" "0.1.0" "A plugin in text form." "{}")
            ;; Where each text of the description stands and how long it is; its two lists are empty.
            (data (i32.const 128)
                "\10\00\00\00\03\00\00\00" "\13\00\00\00\05\00\00\00"
                "\18\00\00\00\16\00\00\00" "\2e\00\00\00\02\00\00\00")
            (func (export "describe") (result i32) i32.const 128)
            ;; Zeros are an outcome without a summary and without outputs.
            (func (export "run") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) i32.const 256))
        (core instance $i (instantiate $m))
        (alias core export $i "memory" (core memory $memory))

        (type $capability-use-fields (record (field "name" string) (field "required" bool) (field "reason" string)))
        (export $capability-use "capability-use" (type $capability-use-fields))
        (type $output-type-fields (enum "string" "number" "bool" "list" "object"))
        (export $output-type "output-type" (type $output-type-fields))
        (type $output-spec-fields (record (field "name" string) (field "type" $output-type) (field "documentation" string)))
        (export $output-spec "output-spec" (type $output-spec-fields))
        (type $description-fields (record
            (field "name" string) (field "version" string) (field "documentation" string) (field "with-schema" string)
            (field "capabilities" (list $capability-use)) (field "outputs" (list $output-spec))))
        (export $description "description" (type $description-fields))
        (type $input-fields (record
            (field "with" string) (field "pipeline" string) (field "stage" string) (field "step" string)
            (field "run" string) (field "attempt" u32)))
        (export $input "input" (type $input-fields))
        (type $output-fields (record (field "name" string) (field "value" string)))
        (export $output "output" (type $output-fields))
        (type $outcome-fields (record (field "summary" string) (field "outputs" (list $output))))
        (export $outcome "outcome" (type $outcome-fields))
        (type $failure-fields (record (field "message" string) (field "hint" (option string))))
        (export $failure "failure" (type $failure-fields))

        (func $describe (result $description) (canon lift (core func $i "describe") (memory $memory)))
        (export "describe" (func $describe))
        (func $run (param "input" $input) (result (result $outcome (error $failure)))
            (canon lift (core func $i "run") (memory $memory) (realloc (core func $i "realloc"))))
        (export "run" (func $run)))
    (instance $step (instantiate $plugin))
    (export "windlass:step/step@0.1.0" (instance $step))
)
