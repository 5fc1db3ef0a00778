SELECT {automation} FROM automations WHERE enabled = 1
