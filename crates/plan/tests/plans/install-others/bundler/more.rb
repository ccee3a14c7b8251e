gem "x"
