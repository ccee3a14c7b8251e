pluginManagement { includeBuild("build-logic") }
include("app", ":libs:core")
