import greet

print(greet.text("world"))
