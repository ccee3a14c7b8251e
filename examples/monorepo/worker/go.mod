module example.com/orders/worker

go 1.24
