// Command platform says what it was compiled for.
package main

import (
	"fmt"
	"runtime"
)

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

func main() {
	fmt.Println(platform())
}
