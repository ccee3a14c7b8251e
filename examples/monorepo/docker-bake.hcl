group "default" {
  targets = ["api", "worker"]
}

target "api" {
  dockerfile = "larder.yaml"
  target     = "api"
}

target "worker" {
  dockerfile = "larder.yaml"
  target     = "worker"
}
