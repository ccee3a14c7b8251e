module x
require y v1
