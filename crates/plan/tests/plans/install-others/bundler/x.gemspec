require_relative "lib/x/version"
