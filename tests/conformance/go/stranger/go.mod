module attestlayer.example/conformance/stranger

go 1.25.0
