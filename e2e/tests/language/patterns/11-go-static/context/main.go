package main

import "os"

var version = "none"

func main() {
	os.Stdout.WriteString("hello from go\n")
}
